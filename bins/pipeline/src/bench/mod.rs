//! `bench`: how fast a network trains here, and how right its numbers are.

mod accuracy;
mod autograd;
mod compiled;
mod counter;
mod cuda;
mod engine;
mod measure;
mod options;
mod profile;
mod table;
mod work;

use anyhow::Result;
use wick_runs::write_atomic;

use crate::compute::Asked;
use crate::context::StageEnd;
use crate::terminal::{Form, form, print};

pub use options::Args;
use options::{Measured, TrainStepArgs};

/// Carries out the command.
pub fn run(args: &Args, asked: Asked) -> Result<StageEnd> {
    match &args.measured {
        Measured::TrainStep(args) => train_step(args, asked)?,
    }
    Ok(StageEnd::Done)
}

fn train_step(args: &TrainStepArgs, asked: Asked) -> Result<()> {
    let measured = measure::measure(args, &asked.open()?)?;
    let line = serde_json::to_string(&measured)?;
    if let Some(file) = &args.out {
        write_atomic(file, format!("{line}\n").as_bytes())?;
    }
    match form() {
        Form::Json => print(&line),
        Form::Text => print(table::text(&measured).trim_end()),
    }
}
