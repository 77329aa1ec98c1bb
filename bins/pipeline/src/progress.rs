//! Showing how long work is coming along: a bar on a terminal, lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wick_train::{Event, Progress};

use crate::terminal::{is_watched, warn};

/// Seconds between lines where nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Shows a training run.
pub struct TrainingBar {
    bar: ProgressBar,
    watched: bool,
    line_at: Instant,
}

impl TrainingBar {
    pub fn new() -> Self {
        Self { bar: bar(), watched: is_watched(), line_at: Instant::now() }
    }

    /// Takes in what happened.
    pub fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Resumed { epoch, step_in_epoch, rows_cut } => {
                self.line(&format!("going on in epoch {epoch} after step {step_in_epoch}"));
                if *rows_cut > 0 {
                    self.line(&format!("{rows_cut} rows past the checkpoint were cut; their steps are done again"));
                }
            }
            Event::Step(progress) => self.step(progress),
            Event::Evaluated { images, total } => {
                self.bar.set_length(*total as u64);
                self.bar.set_position(*images as u64);
                self.bar.set_prefix("test");
                self.bar.set_message("");
            }
            Event::Epoch { row, timing, is_best } => self.line(&format!(
                "epoch {:2}: train loss {:.4}, accuracy {:.2} %; test loss {:.4}, accuracy {:.2} %{}; lr {:.3e}; {:.0} s, {:.0} images/s",
                row.epoch,
                row.train_loss,
                100.0 * row.train_accuracy,
                row.test_loss,
                100.0 * row.test_accuracy,
                if *is_best { " (best)" } else { "" },
                row.lr,
                timing.seconds,
                timing.images_per_second,
            )),
            Event::Warning(warning) => self.bar.suspend(|| warn(&warning.to_string())),
            Event::Checkpoint => {}
        }
    }

    fn step(&mut self, p: &Progress) {
        let state = format!(
            "loss {:.4}, accuracy {:.1} %, lr {:.2e}, {:.0} images/s, {} left",
            p.loss,
            100.0 * p.accuracy,
            p.lr,
            p.images_per_second,
            duration(p.seconds_left)
        );
        if self.watched {
            self.bar.set_length(p.steps as u64);
            self.bar.set_prefix(format!("epoch {}/{}", p.epoch, p.epochs));
            self.bar.set_message(state);
            self.bar.set_position(p.step as u64);
        } else if self.line_at.elapsed() >= LINE_EVERY {
            self.line_at = Instant::now();
            eprintln!("epoch {}/{}, step {}/{}: {state}", p.epoch, p.epochs, p.step, p.steps);
        }
    }

    fn line(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A bar that counts to `total`, with a name before it; nothing where nobody watches.
pub fn counting(name: &str, total: usize) -> ProgressBar {
    let bar = bar();
    bar.set_length(total as u64);
    bar.set_prefix(name.to_owned());
    bar
}

fn bar() -> ProgressBar {
    let target = if is_watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len} {per_sec:.0} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(None, target).with_style(style)
}

/// `1h 02m`, `3m 20s` or `45s`.
fn duration(seconds: f64) -> String {
    let s = if seconds.is_finite() { seconds.max(0.0) as u64 } else { return "?".to_owned() };
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m {:02}s", s / 60, s % 60),
        _ => format!("{}h {:02}m", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(45.4), "45s");
        assert_eq!(duration(200.0), "3m 20s");
        assert_eq!(duration(3725.0), "1h 02m");
        assert_eq!(duration(f64::INFINITY), "?");
    }
}
