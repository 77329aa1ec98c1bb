//! One file a stage.

mod claims;
mod evaluate;
mod find_lr;
pub mod gradcam;
mod misclassified;
mod plot;
mod prepare;
mod preview;
mod recipes;
mod report;
mod summary;
mod train;

use std::process::ExitCode;

use anyhow::{Context, Result};

use wick_train::Determinism;

use crate::cli::{Cli, Stage};
use crate::compute::Asked;
use crate::context::StageEnd;
use crate::interrupt::{self, INTERRUPTED};
use crate::terminal::{self, Form};

/// Carries out the stage that the command line names.
pub fn run(cli: Cli) -> Result<ExitCode> {
    // Kernels would go on with another set than was asked for.
    wick_ops::InstructionSet::from_environment()?;
    if let Some(threads) = cli.threads {
        anyhow::ensure!(threads >= 1, "--threads is 0; allowed is 1 or more");
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .context("cannot start the worker threads")?;
    }
    let determinism = if cli.deterministic { Determinism::Required } else { Determinism::Free };
    let asked = Asked { device: cli.device, determinism };
    interrupt::listen()?;
    let retold = matches!(cli.stage, Stage::Train(_) | Stage::Claims(_));
    let end = match cli.stage {
        Stage::Prepare(args) => prepare::run(&args)?,
        Stage::Preview(args) => preview::run(&args)?,
        Stage::Summary(args) => summary::run(&args)?,
        Stage::FindLr(args) => find_lr::run(&args.run, asked)?,
        Stage::Train(args) => train::run(&args, asked)?,
        Stage::Evaluate(args) => evaluate::run(&args, asked)?,
        Stage::Misclassified(args) => misclassified::run(&args, asked)?,
        Stage::Gradcam(args) => gradcam::run(&args, asked)?,
        Stage::Plot(args) => plot::run(&args.run)?,
        Stage::Claims(args) => claims::run(&args.run)?,
        Stage::Report(args) => report::run(&args)?,
        Stage::Compare(args) => crate::compare::run(&args)?,
        Stage::Recipes => recipes::run()?,
        Stage::Bench(args) => crate::bench::run(&args, asked)?,
    };
    if end == StageEnd::UpToDate && terminal::form() == Form::Json && !retold {
        terminal::print(r#"{"up_to_date":true}"#)?;
    }
    Ok(match end {
        StageEnd::Interrupted => ExitCode::from(INTERRUPTED),
        StageEnd::Done | StageEnd::UpToDate => ExitCode::SUCCESS,
    })
}
