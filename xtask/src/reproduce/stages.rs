//! The pipeline's stages, each a process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use wick_runs::RunDir;

use super::Args;
use crate::pipeline;

/// The built binary.
pub(super) struct Pipeline {
    path: PathBuf,
    threads: Option<usize>,
}

#[derive(Deserialize)]
struct Prepared {
    run: PathBuf,
}

impl Pipeline {
    pub(super) fn build(threads: Option<usize>) -> Result<Self> {
        Ok(Self { path: pipeline::build()?, threads })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(threads) = self.threads {
            command.arg("--threads").arg(threads.to_string());
        }
        command
    }

    /// How a stage ended.
    pub(super) fn run(&self, args: &[OsString]) -> Result<ExitStatus> {
        self.command().args(args).status().with_context(|| format!("cannot start {}", self.path.display()))
    }

    /// Refuses a recipe that the pipeline does not know; it says why itself.
    pub(super) fn check_recipe(&self, recipe: &str) -> Result<()> {
        let summary = self.command().args(["summary", "--recipe", recipe]).stdout(Stdio::null()).status();
        let status = summary.with_context(|| format!("cannot start {}", self.path.display()))?;
        ensure!(status.success(), "the recipe {recipe} cannot be used; nothing was made");
        Ok(())
    }

    pub(super) fn prepare(
        &self,
        args: &Args,
        recipe: &str,
        seed: Option<u64>,
        data: Option<&Path>,
    ) -> Result<RunDir> {
        let mut command = self.command();
        command.args(["prepare", "--json", "--recipe", recipe]).arg("--runs").arg(&args.runs);
        if args.quick {
            command.arg("--quick");
        }
        if let Some(data) = data {
            command.arg("--data").arg(data);
        }
        let numbers = [
            ("--epochs", args.epochs.map(|n| n as u64)),
            ("--limit", args.limit.map(|n| n as u64)),
            ("--holdout", args.holdout.map(|n| n as u64)),
            ("--seed", seed),
        ];
        for (flag, number) in numbers {
            if let Some(number) = number {
                command.arg(flag).arg(number.to_string());
            }
        }
        if let Some(precision) = &args.precision {
            command.arg("--precision").arg(precision);
        }
        for assignment in &args.set {
            command.arg("--set").arg(assignment);
        }
        eprintln!("== prepare");
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start {}", self.path.display()))?;
        if output.status.code() == Some(super::INTERRUPTED.into()) {
            bail!("interrupted before a run was made; the same command begins again");
        }
        if !output.status.success() {
            bail!("the stage `prepare` failed; nothing was made");
        }
        let prepared: Prepared = serde_json::from_slice(&output.stdout)
            .context("the stage `prepare` did not name its run folder")?;
        eprintln!("{}", prepared.run.display());
        Ok(RunDir::open(&prepared.run)?)
    }
}
