//! With which of a run's weights something was computed, as far as the manifest tells.

use std::path::Path;

use wick_runs::{Manifest, RunDir, StageRecord, sha256_file};

use crate::ReportError;

/// The stage whose weights are those that the page tells of.
const EVALUATE: &str = "evaluate";

/// The weights of a file that a stage wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weights {
    /// Those that the network was evaluated with.
    Evaluated(Checkpoint),
    /// Of one checkpoint, where the network was evaluated with the other.
    Other { of: Checkpoint, evaluated: Checkpoint },
    /// Of the same checkpoint, which was trained on in between.
    AnotherTime(Checkpoint),
    /// The manifest does not tell.
    Unknown,
}

/// Which weights of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checkpoint {
    /// After the last epoch.
    Last,
    /// Of the epoch that judged best.
    Best,
}

impl Checkpoint {
    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Last => "the last epoch's weights",
            Self::Best => "the best epoch's weights",
        }
    }
}

impl Weights {
    /// Those with which `stage` computed what it wrote to `output`.
    pub(crate) fn of(
        run: &RunDir,
        manifest: Option<&Manifest>,
        stage: &str,
        output: &Path,
    ) -> Result<Self, ReportError> {
        let record = |stage: &str| manifest.and_then(|manifest| manifest.stages.get(stage));
        let Some(record_of_stage) = record(stage) else { return Ok(Self::Unknown) };
        // What an earlier run of the stage wrote is there still, but no longer told of.
        if record_of_stage.output(run, output) != Some(sha256_file(output)?.as_str()) {
            return Ok(Self::Unknown);
        }
        let read = |record| checkpoint(run, record);
        Ok(match (read(record_of_stage), record(EVALUATE).and_then(read)) {
            (None, _) => Self::Unknown,
            (Some((of, _)), None) => Self::Evaluated(of),
            (Some(one), Some(other)) if one == other => Self::Evaluated(one.0),
            (Some((of, _)), Some((evaluated, _))) if of != evaluated => Self::Other { of, evaluated },
            (Some((of, _)), Some(_)) => Self::AnotherTime(of),
        })
    }
}

/// The weights that a stage read, with their hash.
fn checkpoint<'a>(run: &RunDir, record: &'a StageRecord) -> Option<(Checkpoint, &'a str)> {
    let last = record.input(run, &run.last()).map(|hash| (Checkpoint::Last, hash));
    last.or_else(|| record.input(run, &run.best()).map(|hash| (Checkpoint::Best, hash)))
}
