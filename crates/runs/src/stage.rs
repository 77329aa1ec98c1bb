//! What a stage read and wrote, and whether that still holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Manifest, RunDir, RunsError, sha256_bytes, sha256_file, sha256_folder};

/// The stages of a run by their names in the manifest, in the order in which a run goes through them.
pub const STAGES: [&str; 12] = [
    "prepare",
    "preview",
    "summary",
    "find-lr",
    "train",
    "evaluate",
    "misclassified",
    "gradcam",
    "gradcam-evaluate",
    "plot",
    "claims",
    "report",
];

/// What a stage read and wrote: SHA-256 by path, relative to the run folder (with `/`) where the path lies
/// in it, else absolute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Files and folders it read.
    pub inputs: BTreeMap<String, String>,
    /// Other things it depended on, by name: options, the data set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// Files it wrote.
    pub outputs: BTreeMap<String, String>,
    /// Wall-clock seconds it took.
    pub seconds: f64,
}

/// Something a stage depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file, or a folder with all files beneath it.
    Path(PathBuf),
    /// Anything else, such as an option or the data set, by a name and the SHA-256 of its contents.
    Value {
        /// Its name among the stage's values.
        name: String,
        /// Its SHA-256.
        sha256: String,
    },
}

/// Whether a stage must run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageState {
    /// All it read and wrote is as it was.
    Current,
    /// The manifest has no record of it.
    NeverRan,
    /// Something it read is not as it was, or it would read something else now.
    InputChanged(String),
    /// Something it wrote is gone or is not as it was.
    OutputChanged(String),
}

impl Input {
    /// A file or folder.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self::Path(path.into())
    }

    /// Anything that can be written as text: it is hashed.
    pub fn value(name: impl Into<String>, contents: impl AsRef<[u8]>) -> Self {
        Self::Value { name: name.into(), sha256: sha256_bytes(contents.as_ref()) }
    }
}

impl StageRecord {
    /// Hashes all that a stage read and wrote.
    ///
    /// # Errors
    /// [`RunsError::Missing`] or [`RunsError::Io`] where one of the files cannot be read.
    pub fn of(run: &RunDir, inputs: &[Input], outputs: &[PathBuf], seconds: f64) -> Result<Self, RunsError> {
        let mut record = Self { seconds, ..Self::default() };
        for input in inputs {
            match input {
                Input::Path(path) => record.inputs.insert(key(run, path), hash(path)?),
                Input::Value { name, sha256 } => record.values.insert(name.clone(), sha256.clone()),
            };
        }
        for path in outputs {
            record.outputs.insert(key(run, path), hash(path)?);
        }
        Ok(record)
    }

    /// The recorded SHA-256 of a file that it read.
    pub fn input(&self, run: &RunDir, path: &Path) -> Option<&str> {
        self.inputs.get(&key(run, path)).map(String::as_str)
    }

    /// The recorded SHA-256 of a file that it wrote.
    pub fn output(&self, run: &RunDir, path: &Path) -> Option<&str> {
        self.outputs.get(&key(run, path)).map(String::as_str)
    }

    /// Whether what is recorded still holds, and `inputs` ask for nothing else: every recorded file must have its
    /// recorded hash, every path in `inputs` must be recorded, and the values must be just those recorded.
    /// (Paths that were recorded need not be named again.)
    ///
    /// # Errors
    /// [`RunsError::Io`] where a file that is there cannot be read.
    pub fn state(&self, run: &RunDir, inputs: &[Input]) -> Result<StageState, RunsError> {
        let mut values = BTreeMap::new();
        for input in inputs {
            match input {
                Input::Path(path) => {
                    let key = key(run, path);
                    if !self.inputs.contains_key(&key) {
                        return Ok(StageState::InputChanged(key));
                    }
                }
                Input::Value { name, sha256 } => {
                    values.insert(name, sha256);
                }
            }
        }
        let names = self.values.keys().chain(values.keys().copied());
        if let Some(name) = names.into_iter().find(|name| self.values.get(*name) != values.get(name).copied())
        {
            return Ok(StageState::InputChanged(name.clone()));
        }
        if let Some(key) = changed(run, &self.inputs)? {
            return Ok(StageState::InputChanged(key));
        }
        Ok(changed(run, &self.outputs)?.map_or(StageState::Current, StageState::OutputChanged))
    }

    /// Whether it read a file or folder of the contents that `path` has now, wherever that lay.
    ///
    /// # Errors
    /// [`RunsError::Missing`] or [`RunsError::Io`] where it cannot be read.
    pub fn has_read(&self, path: &Path) -> Result<bool, RunsError> {
        let now = hash(path)?;
        Ok(self.inputs.values().any(|sha256| *sha256 == now))
    }
}

impl Manifest {
    /// Hashes what a stage read and wrote and adds it to the run's manifest, in place of an earlier record.
    ///
    /// # Errors
    /// As [`StageRecord::of`] and [`Manifest::update`].
    pub fn record_stage(
        run: &RunDir,
        stage: &str,
        inputs: &[Input],
        outputs: &[PathBuf],
        seconds: f64,
    ) -> Result<Self, RunsError> {
        let record = StageRecord::of(run, inputs, outputs, seconds)?;
        Self::update(run, |manifest| drop(manifest.stages.insert(stage.to_owned(), record)))
    }

    /// Whether a stage must run, given its inputs now: see [`StageRecord::state`].
    ///
    /// # Errors
    /// [`RunsError::Io`] where a file that is there cannot be read.
    pub fn stage_state(&self, run: &RunDir, stage: &str, inputs: &[Input]) -> Result<StageState, RunsError> {
        self.stages.get(stage).map_or(Ok(StageState::NeverRan), |record| record.state(run, inputs))
    }

    /// Whether a stage need not run: its state is [`StageState::Current`].
    ///
    /// # Errors
    /// [`RunsError::Io`] where a file that is there cannot be read.
    pub fn is_current(&self, run: &RunDir, stage: &str, inputs: &[Input]) -> Result<bool, RunsError> {
        Ok(self.stage_state(run, stage, inputs)? == StageState::Current)
    }
}

/// The first path whose hash is not the recorded one.
fn changed(run: &RunDir, recorded: &BTreeMap<String, String>) -> Result<Option<String>, RunsError> {
    for (key, sha256) in recorded {
        // An absolute key replaces the run's folder in `join`.
        match hash(&run.path().join(key)) {
            Ok(now) if now == *sha256 => {}
            Err(error) if !error.is_missing() => return Err(error),
            _ => return Ok(Some(key.clone())),
        }
    }
    Ok(None)
}

fn hash(path: &Path) -> Result<String, RunsError> {
    if path.is_dir() { sha256_folder(path) } else { sha256_file(path) }
}

fn key(run: &RunDir, path: &Path) -> String {
    let absolute = |path: &Path| {
        fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
    };
    let path = absolute(path);
    match path.strip_prefix(absolute(run.path())) {
        Ok(inside) => {
            let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
            parts.join("/")
        }
        Err(_) => path.to_string_lossy().into_owned(),
    }
}
