//! Speaking to whoever typed the command. Results go to standard output, all else to standard error.

mod colour;
mod line;
mod spark;
mod table;

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use anyhow::{Context as _, Result};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use serde_json::{Value, json};

pub use colour::{Tone, choose_colours, paint, paint_error};
pub use line::{Words, clock, count, line, rate};
pub use spark::spark;
pub use table::{Column, Table, paragraph};

/// In what form results are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON value, for programs.
    Json,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// Bars, notes, tables.
    Full,
    /// Errors, warnings, and the files that were written.
    Quiet,
}

/// What the command line asks for, once for the whole process, as the level of a log is.
static ASKED: OnceLock<(Form, Voice)> = OnceLock::new();

/// All bars of the process: what is said meanwhile goes above them.
static BARS: LazyLock<MultiProgress> = LazyLock::new(|| {
    let watched = is_watched() && voice() == Voice::Full;
    MultiProgress::with_draw_target(if watched {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    })
});

/// Says how to speak from here on; the first call holds.
pub fn speak(form: Form, voice: Voice) {
    let _ = ASKED.set((form, voice));
}

pub fn form() -> Form {
    ASKED.get().map_or(Form::Text, |asked| asked.0)
}

pub fn voice() -> Voice {
    ASKED.get().map_or(Voice::Full, |asked| asked.1)
}

/// Whether someone watches the messages.
pub fn is_watched() -> bool {
    io::IsTerminal::is_terminal(&io::stderr()) && std::env::var_os("TERM").is_none_or(|name| name != "dumb")
}

/// Columns of the terminal to which messages go; none if they go elsewhere.
pub fn message_room() -> Option<usize> {
    console::Term::stderr().size_checked().map(|(_, columns)| usize::from(columns))
}

/// Columns for a bar: two are left to the `^C` that a terminal echoes, which would else begin a line.
pub fn room() -> usize {
    usize::from(console::Term::stderr().size().1).saturating_sub(2)
}

/// Columns of the terminal to which results go; none if they go elsewhere.
pub fn result_room() -> Option<usize> {
    console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns))
}

/// Puts a bar under what is said.
pub fn add_bar(bar: ProgressBar) -> ProgressBar {
    BARS.add(bar)
}

/// Tells in passing, on standard error; nothing with `--quiet`.
pub fn note(text: &str) {
    if voice() == Voice::Full {
        error_line(text);
    }
}

/// Tells what looks wrong, on standard error, `--quiet` or not.
pub fn warn(text: &str) {
    let said = paragraph(&format!("WARNING: {text}"), message_room());
    error_line(&said.replacen("WARNING:", &paint_error("WARNING:", Tone::Warning), 1));
}

/// A line on standard error, above the bars.
pub fn error_line(text: &str) {
    BARS.suspend(|| {
        // Where nobody can be told, work goes on.
        let _ = writeln!(io::stderr(), "{text}");
    });
}

/// The last thing said before the process ends: bars are taken away for good.
pub fn last_line(text: &str) {
    let _ = BARS.clear();
    BARS.set_draw_target(ProgressDrawTarget::hidden());
    let _ = writeln!(io::stderr(), "{text}");
}

/// Tells a stage's result, on standard output: `value` with `--json`, only the files that were written with `--quiet`, else the
/// text, then the files.
pub fn tell(text: impl FnOnce() -> String, written: &[PathBuf], value: impl FnOnce() -> Value) -> Result<()> {
    match (form(), voice()) {
        (Form::Json, _) => print(&value().to_string()),
        (Form::Text, Voice::Quiet) if !written.is_empty() => print(&lines(written)),
        (Form::Text, _) => {
            let text = text();
            let (text, files) = (text.trim_end(), lines(written));
            let gap = match (text.is_empty() || files.is_empty(), text.contains('\n')) {
                (true, _) => "",
                (false, true) => "\n\n",
                (false, false) => "\n",
            };
            print(&format!("{text}{gap}{files}"))
        }
    }
}

/// Tells what a stage wrote, after a sentence on it that may be empty. As JSON: `{"said": …, "written": [PATH, …]}`, without
/// `said` where there is no sentence.
pub fn wrote(said: &str, written: &[PathBuf]) -> Result<()> {
    let value = || match said {
        "" => json!({ "written": paths(written) }),
        said => json!({ "said": said, "written": paths(written) }),
    };
    tell(|| said.to_owned(), written, value)
}

/// Files as JSON tells them.
pub fn paths<P: AsRef<Path>>(files: &[P]) -> Vec<String> {
    files.iter().map(|file| file.as_ref().display().to_string()).collect()
}

fn lines(files: &[PathBuf]) -> String {
    paths(files).join("\n")
}

/// A line or several on standard output. Whoever stopped reading has read enough.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match BARS.suspend(|| writeln!(out, "{text}").and_then(|()| out.flush())) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}
