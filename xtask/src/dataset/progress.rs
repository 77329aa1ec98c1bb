//! How far a download is: a bar on a terminal, a line every tenth elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use wick_runs::grouped;

/// Whoever watches a download.
pub(crate) trait Watch {
    /// `done` of `total` bytes are there; `total` is not always known.
    fn at(&mut self, done: u64, total: Option<u64>);
    /// Something worth saying happened.
    fn say(&mut self, line: &str);
}

/// A watcher for people.
pub(crate) enum Progress {
    Bar(ProgressBar),
    Lines { next: u64 },
}

const BAR: &str = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";

impl Progress {
    pub(crate) fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines { next: 0 };
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }
}

impl Watch for Progress {
    fn at(&mut self, done: u64, total: Option<u64>) {
        match self {
            Self::Bar(bar) => {
                if bar.is_finished() {
                    bar.reset(); // Whole once, and started over.
                }
                bar.set_length(total.unwrap_or(done));
                bar.set_position(done);
                if Some(done) == total {
                    bar.finish_and_clear();
                }
            }
            Self::Lines { next } => {
                let Some(total) = total.filter(|total| *total > 0) else { return };
                let tenth = done * 10 / total;
                if tenth >= *next || done < total / 10 && *next > 1 {
                    eprintln!("{:>3} % of {} bytes", tenth * 10, grouped(total));
                    *next = tenth + 1;
                }
            }
        }
    }

    fn say(&mut self, line: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| eprintln!("{line}")),
            Self::Lines { .. } => eprintln!("{line}"),
        }
    }
}
