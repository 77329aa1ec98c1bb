//! `pipeline`: the stages of a training run as subcommands. No logic of its own: each stage reads files, calls the
//! crates, writes files.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a command speaks to whoever typed it

mod bench;
mod cli;
mod compare;
mod compute;
mod context;
mod examples;
mod figures;
mod filters;
mod galleries;
mod interrupt;
mod judging;
mod progress;
mod recipes;
mod report;
mod schedule;
mod source;
mod stages;
mod tables;
mod tensorboard;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
use terminal::{Form, Voice};

fn main() -> ExitCode {
    // Training frees and allocates the same large blocks again and again.
    wick_ops::retain_pages();
    terminal::choose_colours();
    let cli = cli::Cli::parse();
    let form = if cli.json { Form::Json } else { Form::Text };
    terminal::speak(form, if cli.quiet { Voice::Quiet } else { Voice::Full });
    match stages::run(cli) {
        Ok(code) => code,
        Err(error) => {
            report::error(&error);
            ExitCode::from(2)
        }
    }
}
