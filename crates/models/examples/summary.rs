//! Prints a network layer by layer: `cargo run -p wick-models --example summary [-- speedrun]`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use wick_models::{Architecture, ModelError, Summary};

fn main() -> ExitCode {
    match summary(std::env::args().nth(1)) {
        Ok(summary) => {
            print!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn summary(name: Option<String>) -> Result<Summary, ModelError> {
    let architecture = name.map_or(Ok(Architecture::ResNet18), |name| name.parse())?;
    Ok(architecture.summary(10, 32)?)
}
