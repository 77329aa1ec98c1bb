//! Showing how long work is coming along: a bar on a terminal, lines elsewhere.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use wick_runs::{EpochRow, TimingRow};
use wick_train::{Event, Progress};

use crate::terminal::{Words, add_bar, clock, count, is_watched, line, note, rate, room, warn};

/// Seconds between lines where nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// A line that is drawn again and again; nothing where nobody watches.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(add_bar(ProgressBar::new(1).with_style(style)))
    }

    fn draw(&self, share: f64, ways: &[Words]) {
        if !self.0.is_hidden() {
            self.0.set_message(line(room(), share, ways));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Counts what is done of something. Dropped, it is gone.
pub struct Counter {
    bar: Bar,
    name: String,
    unit: &'static str,
    total: usize,
    began: Instant,
    line_at: Cell<Instant>,
}

/// A bar that counts to `total` of `unit` (`images`, `steps`), with a name before it.
pub fn counting(name: &str, total: usize, unit: &'static str) -> Counter {
    let now = Instant::now();
    let line_at = Cell::new(now);
    let counter = Counter { bar: Bar::new(), name: name.to_owned(), unit, total, began: now, line_at };
    counter.at(0);
    counter
}

impl Counter {
    /// Says what is at work from now on, so many being done.
    pub fn rename(&mut self, name: impl Into<String>, done: usize) {
        self.name = name.into();
        self.at(done);
    }

    /// So many are done.
    pub fn at(&self, done: usize) {
        let share = done as f64 / self.total.max(1) as f64;
        let ways = self.ways(done, self.began.elapsed().as_secs_f64());
        self.bar.draw(share, &ways);
        if self.bar.0.is_hidden() && self.line_at.get().elapsed() >= LINE_EVERY {
            self.line_at.set(Instant::now());
            let [Words { before, after }, ..] = &ways;
            note(&format!("{before}: {after}"));
        }
    }

    fn ways(&self, done: usize, seconds: f64) -> [Words; 2] {
        let Self { name, unit, total, .. } = self;
        let (pace, left) = if done == 0 {
            (f64::NAN, f64::NAN)
        } else {
            (done as f64 / seconds, seconds / done as f64 * total.saturating_sub(done) as f64)
        };
        let (pace, left) = (rate(pace), clock(left));
        let (done, total) = (count(done), count(*total));
        let width = total.len();
        [
            Words {
                before: name.clone(),
                after: format!("{done:>width$}/{total} {unit}  {pace:>5} {unit}/s  ETA {left}"),
            },
            Words { before: name.clone(), after: format!("{done}/{total} ETA {left}") },
        ]
    }
}

/// Shows a training run.
pub struct TrainingBar {
    bar: Option<Bar>,
    line_at: Instant,
    /// The epoch in progress and the number of them.
    epoch: (u64, usize),
    /// The evaluation in progress.
    test: Option<Counter>,
    /// When the latest step ended.
    stepped: Instant,
    /// Seconds that the latest evaluation took.
    evaluation: f64,
}

impl TrainingBar {
    pub fn new() -> Self {
        let now = Instant::now();
        Self { bar: None, line_at: now, epoch: (0, 0), test: None, stepped: now, evaluation: 0.0 }
    }

    /// Takes in what happened.
    pub fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Resumed { epoch, epochs, step_in_epoch, rows_cut } => {
                note(&going_on(*epoch, *epochs, *step_in_epoch));
                if *rows_cut > 0 {
                    note(&format!(
                        "{rows_cut} rows past the checkpoint were cut; their steps are done again"
                    ));
                }
            }
            Event::Step(progress) => self.step(progress),
            Event::Evaluated { images, total } => self.evaluated(*images, *total),
            Event::Epoch { row, timing, is_best } => self.ended(row, timing, *is_best),
            Event::Warning(warning) => warn(&warning.to_string()),
            Event::Rows(_) | Event::Weights { .. } | Event::Checkpoint => {}
        }
    }

    fn step(&mut self, p: &Progress) {
        self.stepped = Instant::now();
        self.epoch = (p.epoch, p.epochs);
        if is_watched() {
            let ways = ways(p, self.evaluation);
            self.bar.get_or_insert_with(Bar::new).draw(p.step as f64 / p.steps.max(1) as f64, &ways);
        } else if self.line_at.elapsed() >= LINE_EVERY {
            self.line_at = Instant::now();
            note(&format!(
                "epoch {}/{}, step {}/{}: loss {:.4}, accuracy {:.1} %, lr {:.2e}, {} steps/s, {} images/s, {} left",
                p.epoch,
                p.epochs,
                p.step,
                p.steps,
                p.loss,
                100.0 * p.accuracy,
                p.lr,
                rate(p.steps_per_second),
                rate(p.images_per_second),
                clock(left(p, self.evaluation).1)
            ));
        }
    }

    fn evaluated(&mut self, images: usize, total: usize) {
        self.bar = None;
        let (epoch, epochs) = self.epoch;
        let began = self.stepped; // the first batch is done by now
        let test = || Counter { began, ..counting(&format!("epoch {epoch}/{epochs} test"), total, "images") };
        self.test.get_or_insert_with(test).at(images);
    }

    fn ended(&mut self, row: &EpochRow, timing: &TimingRow, is_best: bool) {
        (self.bar, self.test) = (None, None);
        self.evaluation = self.stepped.elapsed().as_secs_f64();
        let best = if is_best { " (best)" } else { "" };
        let (train, test) = (100.0 * row.train_accuracy, 100.0 * row.test_accuracy);
        if is_watched() {
            let width = self.epoch.1.to_string().len();
            note(&format!(
                "epoch {:>width$}/{}  train {:.4} {train:5.2} %  test {:.4} {test:5.2} %{best:7}  {:>5}  {} img/s",
                row.epoch,
                self.epoch.1,
                row.train_loss,
                row.test_loss,
                clock(timing.seconds),
                rate(timing.images_per_second),
            ));
        } else {
            note(&format!(
                "epoch {:2}: train loss {:.4}, accuracy {train:.2} %; test loss {:.4}, accuracy {test:.2} %{best}; lr {:.3e}; {:.0} s, \
                 {} images/s",
                row.epoch,
                row.train_loss,
                row.test_loss,
                row.lr,
                timing.seconds,
                rate(timing.images_per_second),
            ));
        }
    }
}

/// Where a run goes on, if anything is left of it.
fn going_on(epoch: u64, epochs: usize, step_in_epoch: usize) -> String {
    match epochs {
        _ if epoch <= epochs as u64 => format!("going on in epoch {epoch} after step {step_in_epoch}"),
        1 => "its one epoch is trained, nothing is left to do".to_owned(),
        _ => format!("all {epochs} epochs are trained, nothing is left to do"),
    }
}

/// Seconds to the end of the epoch's steps, and of the run, whose evaluations take `evaluation` each.
fn left(p: &Progress, evaluation: f64) -> (f64, f64) {
    let evaluations = p.epochs as f64 - p.epoch as f64 + 1.0;
    let steps = p.steps.saturating_sub(p.step) as f64;
    (steps / p.steps_per_second, p.seconds_left + evaluations.max(0.0) * evaluation)
}

/// A step in words, from all to the least.
fn ways(p: &Progress, evaluation: f64) -> [Words; 5] {
    let Progress { epoch, epochs, step, steps, loss, lr, .. } = p;
    let accuracy = 100.0 * p.accuracy;
    let (its, images) = (rate(p.steps_per_second), rate(p.images_per_second));
    let (of_epoch, of_run) = left(p, evaluation);
    let (of_epoch, of_run) = (clock(of_epoch), clock(of_run));
    let (e, s) = (epochs.to_string().len(), steps.to_string().len());
    let words = |before: String, after: String| Words { before, after };
    let short = format!("{epoch:>e$}/{epochs}");
    let long = format!("epoch {short}");
    [
        words(
            long.clone(),
            format!(
                "{step:>s$}/{steps}  {its:>4} it/s  {images:>4} images/s  loss {loss:.4}  accuracy {accuracy:5.2} %  lr {lr:.2e}  ETA \
                 epoch {of_epoch}, run {of_run}"
            ),
        ),
        words(
            long,
            format!(
                "{step:>s$}/{steps}  {its} it/s  {images} img/s  loss {loss:.4}  acc {accuracy:5.2} %  lr {lr:.2e}  ETA {of_epoch}/{of_run}"
            ),
        ),
        words(
            short.clone(),
            format!(
                "{its} it/s {images} img/s loss {loss:.3} acc {accuracy:4.1}% lr {lr:.1e} ETA {of_epoch}/{of_run}"
            ),
        ),
        words(
            short.clone(),
            format!("{images} img/s loss {loss:.3} acc {accuracy:4.1}% lr {lr:.1e} ETA {of_epoch}/{of_run}"),
        ),
        words(short, format!("loss {loss:.3} acc {accuracy:4.1}% ETA {of_run}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: Progress = Progress {
        epoch: 3,
        epochs: 20,
        step: 123,
        steps: 391,
        loss: 1.23449,
        accuracy: 0.56129,
        lr: 0.012345,
        images_per_second: 1590.4,
        steps_per_second: 12.43,
        seconds_left: 590.0,
    };

    #[test]
    fn eighty_columns_hold_all_of_it() {
        console::set_colors_enabled_stderr(false);
        // Evaluations of 10 s, eighteen of which are to come.
        let line = line(78, P.step as f64 / P.steps as f64, &ways(&P, 10.0));
        assert_eq!(line, " 3/20 ━╸─── 12.4 it/s 1590 img/s loss 1.234 acc 56.1% lr 1.2e-2 ETA 0:22/12:50");
        assert_eq!(line.chars().count(), 78);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        console::set_colors_enabled_stderr(false);
        let long = Progress { epoch: 100, epochs: 200, seconds_left: 360_000.0, images_per_second: 4e5, ..P };
        for p in [P, long] {
            for room in 20..200 {
                let line = line(room, 0.3, &ways(&p, 0.0));
                assert!(line.chars().count() <= room, "{room}: {line}");
                assert!(room < 45 || line.contains("loss") && line.contains("ETA"), "{room}: {line}");
            }
        }
        let wide = line(140, 0.3, &ways(&P, 0.0));
        assert!(wide.contains("123/391") && wide.contains("accuracy 56.13 %"), "{wide}");
    }

    #[test]
    fn a_finished_run_does_not_go_on() {
        assert_eq!(going_on(2, 2, 7), "going on in epoch 2 after step 7");
        assert_eq!(going_on(3, 2, 0), "all 2 epochs are trained, nothing is left to do");
        assert_eq!(going_on(2, 1, 0), "its one epoch is trained, nothing is left to do");
    }

    #[test]
    fn a_counter_tells_pace_and_time() {
        let counter = counting("evaluate", 10_000, "images");
        let [words, _] = counter.ways(2_500, 5.0);
        assert_eq!(words.after, " 2,500/10,000 images    500 images/s  ETA 0:15");
        assert!(counter.ways(0, 5.0)[0].after.ends_with("    ? images/s  ETA ?"));
    }

    #[test]
    fn a_counter_goes_on_under_another_name() {
        let mut counter = counting("Grad-CAM", 200, "maps");
        counter.rename("Eigen-CAM at layer4", 100);
        let [words, _] = counter.ways(150, 10.0);
        assert_eq!(words.before, "Eigen-CAM at layer4");
        assert_eq!(words.after, "150/200 maps   15.0 maps/s  ETA 0:03");
    }
}
