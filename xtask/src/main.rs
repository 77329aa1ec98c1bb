//! The project's chores: `cargo xtask dataset`, `reproduce`, `bench`, `results` and `ci`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A command speaks to whoever typed it.

mod bench;
mod ci;
mod dataset;
mod pipeline;
mod reproduce;
mod results;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's chores
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Reproduce(reproduce::Args),
    Dataset(dataset::Args),
    Bench(bench::Args),
    Results(results::Args),
    Ci(ci::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Reproduce(args) => reproduce::run(&args),
        Command::Dataset(args) => dataset::run(args).map(|()| ExitCode::SUCCESS),
        Command::Bench(args) => bench::run(&args),
        Command::Results(args) => results::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Ci(args) => ci::run(args).map(|()| ExitCode::SUCCESS),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
