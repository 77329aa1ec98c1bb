//! What stages share: a run with its recipe, recording what was read and written, stopping politely.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use wick_runs::{Input, Manifest, RunDir, Status};
use wick_train::{Data, DataRecord, Layers, Recipe};

use crate::cli::{RunFolder, Weights};
use crate::interrupt;
use crate::terminal::note;

/// A run folder and its recipe.
pub struct Run {
    pub dir: RunDir,
    pub recipe: Recipe,
}

/// Whether a stage that has nothing new to read runs again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WhenCurrent {
    Skip,
    Again,
}

/// How a stage's work ended.
pub enum Work {
    /// Done; these files were written.
    Done(Vec<PathBuf>),
    /// Stopped on request, to go on later.
    Interrupted,
}

impl From<bool> for WhenCurrent {
    fn from(skip: bool) -> Self {
        if skip { Self::Skip } else { Self::Again }
    }
}

impl Run {
    /// Opens a run and reads its recipe.
    pub fn open(path: &Path) -> Result<Self> {
        let dir = RunDir::open(path)?;
        let file = dir.recipe_toml();
        needs(&file, "prepare")?;
        let recipe = Layers::default().over_file(&file)?.resolve()?;
        Ok(Self { dir, recipe })
    }

    /// The run's data, the same as when it was prepared.
    pub fn data(&self, path: Option<&Path>) -> Result<Arc<Data>> {
        needs(&self.dir.data(), "prepare")?;
        let record = DataRecord::read(&self.dir.data())?;
        Ok(Arc::new(record.load(&self.recipe, path)?))
    }

    /// The file of these weights.
    pub fn weights(&self, weights: Weights) -> PathBuf {
        match weights {
            Weights::Last => self.dir.last(),
            Weights::Best => self.dir.best(),
        }
    }

    /// Whether `predictions.csv` is of these weights, as they are now.
    pub fn has_judged(&self, weights: &Path) -> Result<bool> {
        Ok(self.dir.predictions().exists() && self.has_read("evaluate", weights)?)
    }

    /// Refuses to go on with predictions of other weights: what is drawn of them would have the wrong labels. `otherwise` says what
    /// else can be done than to judge these.
    pub fn needs_judged(&self, weights: &Path, otherwise: &str) -> Result<()> {
        needs(&self.dir.predictions(), "evaluate")?;
        ensure!(
            self.has_judged(weights)?,
            "{} is not of {} as it is now: its labels would be those of other weights; run `evaluate` with these first, or {otherwise}",
            self.dir.predictions().display(),
            weights.display()
        );
        Ok(())
    }

    /// Whether a stage read this file, as it is now.
    pub fn has_read(&self, stage: &str, file: &Path) -> Result<bool> {
        let manifest = Manifest::read(&self.dir)?;
        Ok(manifest.stages.get(stage).map_or(Ok(false), |record| record.has_read(file))?)
    }

    /// Carries out a stage and records it, unless it is current and may be skipped.
    ///
    /// The manifest's status is that of the stage at work, so that a run that died tells where.
    pub fn stage(
        &self,
        name: &str,
        inputs: Vec<Input>,
        when_current: WhenCurrent,
        work: impl FnOnce() -> Result<Work>,
    ) -> Result<StageEnd> {
        if when_current == WhenCurrent::Skip
            && Manifest::read(&self.dir)?.is_current(&self.dir, name, &inputs)?
        {
            note(&format!("{name}: up to date"));
            return Ok(StageEnd::UpToDate);
        }
        let began = Instant::now();
        Manifest::update(&self.dir, |m| m.set_status(Status::Running))?;
        interrupt::begin_stage(name, &self.dir);
        let ended = work();
        interrupt::end_stage(|| self.record(name, &inputs, ended, began))
    }

    /// Keeps how a stage's work ended.
    fn record(&self, name: &str, inputs: &[Input], ended: Result<Work>, began: Instant) -> Result<StageEnd> {
        let status = match &ended {
            Ok(Work::Done(_)) => Status::Finished,
            Ok(Work::Interrupted) => Status::Interrupted,
            Err(error) => Status::Failed { message: format!("{name}: {error:#}") },
        };
        let told = Manifest::update(&self.dir, |m| m.set_status(status));
        // The work's own error comes first: a full disk fails both.
        let ended = ended?;
        told?;
        match ended {
            Work::Interrupted => Ok(StageEnd::Interrupted),
            Work::Done(outputs) => {
                Manifest::record_stage(&self.dir, name, inputs, &outputs, began.elapsed().as_secs_f64())?;
                Ok(StageEnd::Done)
            }
        }
    }
}

/// What became of a stage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StageEnd {
    Done,
    UpToDate,
    Interrupted,
}

impl RunFolder {
    /// Opens the run.
    pub fn open(&self) -> Result<Run> {
        Run::open(&self.run)
    }

    /// Whether a stage that is current runs again.
    pub fn when_current(&self) -> WhenCurrent {
        self.skip_current.into()
    }
}

/// Refuses to go on without a file, naming the stage that writes it.
pub fn needs(file: &Path, stage: &str) -> Result<()> {
    if file.exists() {
        return Ok(());
    }
    bail!("{} is not there; it is written by the stage `{stage}`, which has to run first", file.display());
}
