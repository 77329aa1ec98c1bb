//! With which of a run's weights something was computed, as far as the maps themselves or the manifest tell.

use std::path::Path;

use wick_runs::{CamDir, CamWeights, Manifest, RunDir, StageRecord, sha256_file};

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
    /// Neither the maps nor the manifest tell.
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
    /// Those that a method's maps are of. They say it themselves: the manifest knows only what the stage wrote last, and a call for
    /// another method leaves these as they are. Maps of before they said so are looked up there.
    pub(crate) fn of_maps(
        run: &RunDir,
        manifest: Option<&Manifest>,
        maps: &CamDir,
    ) -> Result<Self, ReportError> {
        let told = CamWeights::read(&maps.raw())?;
        match told.as_ref().and_then(|told| Some((named(run, &told.file)?, told.sha256.as_str()))) {
            Some(of) => Ok(Self::beside_evaluated(run, manifest, of)),
            None => Self::of(run, manifest, "gradcam", &maps.index()),
        }
    }

    /// Those with which `stage` computed what it wrote to `output`.
    pub(crate) fn of(
        run: &RunDir,
        manifest: Option<&Manifest>,
        stage: &str,
        output: &Path,
    ) -> Result<Self, ReportError> {
        let Some(record) = record(manifest, stage) else { return Ok(Self::Unknown) };
        // What an earlier run of the stage wrote is there still, but no longer told of.
        if record.output(run, output) != Some(sha256_file(output)?.as_str()) {
            return Ok(Self::Unknown);
        }
        Ok(checkpoint(run, record).map_or(Self::Unknown, |of| Self::beside_evaluated(run, manifest, of)))
    }

    /// How these stand to those that the network was evaluated with.
    fn beside_evaluated(run: &RunDir, manifest: Option<&Manifest>, of: (Checkpoint, &str)) -> Self {
        match record(manifest, EVALUATE).and_then(|record| checkpoint(run, record)) {
            None => Self::Evaluated(of.0),
            Some(evaluated) if evaluated == of => Self::Evaluated(of.0),
            Some((evaluated, _)) if evaluated != of.0 => Self::Other { of: of.0, evaluated },
            Some(_) => Self::AnotherTime(of.0),
        }
    }
}

fn record<'a>(manifest: Option<&'a Manifest>, stage: &str) -> Option<&'a StageRecord> {
    manifest?.stages.get(stage)
}

/// Which of a run's weights a file of this name holds.
fn named(run: &RunDir, file: &str) -> Option<Checkpoint> {
    let is_named = |path: &Path| path.file_name().is_some_and(|name| name == file);
    match () {
        () if is_named(&run.last()) => Some(Checkpoint::Last),
        () if is_named(&run.best()) => Some(Checkpoint::Best),
        () => None,
    }
}

/// The weights that a stage read, with their hash.
fn checkpoint<'a>(run: &RunDir, record: &'a StageRecord) -> Option<(Checkpoint, &'a str)> {
    let last = record.input(run, &run.last()).map(|hash| (Checkpoint::Last, hash));
    last.or_else(|| record.input(run, &run.best()).map(|hash| (Checkpoint::Best, hash)))
}
