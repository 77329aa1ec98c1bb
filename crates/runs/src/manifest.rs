//! `manifest.json`: how a run came about.

use std::collections::BTreeMap;
use std::fs::File;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Machine, RunDir, RunsError, StageRecord, read_json, write_json};

/// How a run came about, and what each of its stages read and wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The command line that started it, program first.
    pub command: Vec<String>,
    /// The revision of the sources, `-dirty` where they were changed.
    pub git_revision: Option<String>,
    /// The images it was made with, once they are known.
    pub dataset: Option<DatasetRecord>,
    /// Versions of the crates and tools that matter, by name.
    pub versions: BTreeMap<String, String>,
    /// What computed it: `cpu`, `cuda:0`.
    pub device: String,
    /// The machine.
    pub machine: Machine,
    /// Threads it computed with.
    pub threads: usize,
    /// Where it stands.
    pub status: Status,
    /// When it was started (RFC 3339, UTC).
    pub started: Timestamp,
    /// When it stopped, whether finished or not.
    pub ended: Option<Timestamp>,
    /// What each stage read and wrote, by the stage's name.
    #[serde(default)]
    pub stages: BTreeMap<String, StageRecord>,
}

/// The images a run was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRecord {
    /// For example `cifar10`.
    pub name: String,
    /// SHA-256 of the images and labels.
    pub sha256: String,
    /// Training images used.
    pub train: usize,
    /// Test images used.
    pub test: usize,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    /// Not stopped yet, or killed.
    Running,
    /// Stopped on request; it can be resumed.
    Interrupted,
    /// All done.
    Finished,
    /// Stopped by an error.
    Failed {
        /// The error's words.
        message: String,
    },
}

impl Manifest {
    /// A manifest of a run that starts now: running, on this machine, on all its cores, without stages.
    pub fn begin(command: Vec<String>, device: impl Into<String>) -> Self {
        let machine = crate::machine();
        Self {
            command,
            git_revision: None,
            dataset: None,
            versions: BTreeMap::new(),
            device: device.into(),
            threads: machine.cores,
            machine,
            status: Status::Running,
            started: Timestamp::now(),
            ended: None,
            stages: BTreeMap::new(),
        }
    }

    /// Reads the manifest of a run.
    ///
    /// # Errors
    /// As [`read_json`].
    pub fn read(run: &RunDir) -> Result<Self, RunsError> {
        read_json(&run.manifest())
    }

    /// Writes the manifest of a run anew.
    ///
    /// # Errors
    /// As [`write_json`].
    pub fn write(&self, run: &RunDir) -> Result<(), RunsError> {
        write_json(&run.manifest(), self)
    }

    /// Reads the manifest, lets `change` change it, writes it back and returns it. Two processes that do so at
    /// once do not lose each other's change, where the file system has locks.
    ///
    /// # Errors
    /// As [`read_json`] and [`write_json`].
    pub fn update(run: &RunDir, change: impl FnOnce(&mut Self)) -> Result<Self, RunsError> {
        // The folder itself is the lock, so that no lock file is left in it; held until dropped.
        let folder = File::open(run.path());
        if let Ok(folder) = &folder {
            let _ = folder.lock();
        }
        let mut manifest = Self::read(run)?;
        change(&mut manifest);
        manifest.write(run)?;
        Ok(manifest)
    }

    /// Sets the status, and the time of ending unless the run goes on.
    pub fn set_status(&mut self, status: Status) {
        self.ended = (status != Status::Running).then(Timestamp::now);
        self.status = status;
    }
}
