//! Ctrl-C, or a polite kill: training finishes its step and saves; any other stage ends at once, with whole files.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use wick_runs::{Manifest, RunDir, Status};

use crate::terminal::{error_line, last_line};

/// What a process ends with that was interrupted: 128 + SIGINT.
pub const INTERRUPTED: u8 = 130;

/// What is at work.
struct AtWork {
    stage: Option<(String, RunDir)>,
    /// Set where the work stops by itself.
    stop: Option<Arc<AtomicBool>>,
    /// Whether a stage's work is done and recorded: the process is about to end anyway.
    done: bool,
}

/// Held while files are written, so that an interruption waits for them.
static AT_WORK: Mutex<AtWork> = Mutex::new(AtWork { stage: None, stop: None, done: false });

/// Listens from here on.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        let at_work = lock();
        match &at_work.stop {
            _ if at_work.done => {}
            Some(stop) if !stop.swap(true, Ordering::Relaxed) => {
                error_line("finishing the step, then saving; Ctrl-C once more stops at once");
            }
            Some(_) => end(
                &at_work,
                &format!("stopped at once; the last checkpoint is whole, go on with: {}", resumed()),
            ),
            None => {
                end(&at_work, &format!("interrupted before it was done; run it again with: {}", typed(None)))
            }
        }
    })
    .context("cannot listen for Ctrl-C")
}

fn end(at_work: &AtWork, said: &str) -> ! {
    let name = at_work.stage.as_ref().map_or_else(String::new, |(stage, _)| format!("{stage}: "));
    last_line(&format!("{name}{said}"));
    if let Some((_, run)) = &at_work.stage {
        // Without it the run says that it is still running; the process ends all the same.
        let _ = Manifest::update(run, |manifest| manifest.set_status(Status::Interrupted));
    }
    process::exit(INTERRUPTED.into());
}

/// A stage works on a run from here until `end_stage`.
pub fn begin_stage(name: &str, run: &RunDir) {
    lock().stage = Some((name.to_owned(), run.clone()));
}

/// A stage has done its work; what `record` writes of it is written whole.
pub fn end_stage<T>(record: impl FnOnce() -> T) -> T {
    let mut at_work = lock();
    *at_work = AtWork { stage: None, stop: None, done: true };
    record()
}

/// Writes files that belong together: an interruption waits for all of them.
pub fn whole<T>(write: impl FnOnce() -> T) -> T {
    let _held = lock();
    write()
}

/// A flag that an interruption sets, for work that stops by itself; a second one ends the process at once.
pub fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    lock().stop = Some(Arc::clone(&stop));
    stop
}

/// The command that goes on with training.
pub fn resumed() -> String {
    typed(Some("--resume"))
}

/// The command as it was given, for a shell, with a flag that it may lack.
fn typed(flag: Option<&str>) -> String {
    let mut words: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(flag) = flag.filter(|flag| !words.iter().any(|word| word == flag)) {
        words.push(flag.to_owned());
    }
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

fn lock() -> MutexGuard<'static, AtWork> {
    AT_WORK.lock().unwrap_or_else(PoisonError::into_inner)
}
