//! `last.*`: a run's whole state in three files that belong together.
//!
//! Two large files cannot be replaced at one instant, so they are first written beside their places, then the small
//! state file, which names both by hash, is renamed into place: that is the instant. A reader who finds the large
//! files not yet renamed finishes the job. Whenever the process dies, there is one whole checkpoint.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use wick_models::{Metadata, Network};
use wick_optim::Judged;
use wick_runs::{RunDir, read_json, sha256_file, write_atomic, write_json};

use crate::{Recipe, TrainError};

pub use crate::watch::Memory;

/// Where a run stands: everything besides weights and optimiser buffers that the next step depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The epoch in progress, from 1; one more than the recipe's epochs when the run is finished.
    pub epoch: u64,
    /// Batches of it that are done.
    pub step_in_epoch: usize,
    /// Steps done since the beginning: the schedule's position.
    pub step: u64,
    /// The seed that, with the epoch and an image's index, keys order and augmentation.
    pub seed: u64,
    /// The range test's suggestion, for a schedule that asks for it.
    pub found_lr: Option<f64>,
    /// Sums over the part of the epoch that is done.
    pub partial: Partial,
    /// The best test accuracy of any epoch so far.
    pub best: Option<Best>,
    /// What every epoch so far ended with: a plateau's memory.
    #[serde(default)]
    pub judged: Vec<Judged>,
    /// What was told of the run, and what is remembered to tell more. No step depends on it.
    #[serde(default)]
    pub watched: Memory,
    /// What of the recipe decides what is computed: [`Recipe::identity`].
    pub recipe_sha256: String,
    /// SHA-256 of the data set.
    pub data_sha256: String,
    /// SHA-256 of the weights' file.
    pub weights_sha256: String,
    /// SHA-256 of the optimiser's file.
    pub optim_sha256: String,
}

impl State {
    /// The state of a run that has done nothing yet.
    pub fn new(recipe: &Recipe, found_lr: Option<f64>, data_sha256: &str) -> Self {
        Self {
            epoch: 1,
            step_in_epoch: 0,
            step: 0,
            seed: recipe.seed,
            found_lr,
            partial: Partial::default(),
            best: None,
            judged: Vec::new(),
            watched: Memory::default(),
            recipe_sha256: recipe.identity(),
            data_sha256: data_sha256.to_owned(),
            weights_sha256: String::new(),
            optim_sha256: String::new(),
        }
    }
}

/// Sums over the part of an epoch that is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partial {
    /// Sum of the loss over images, the penalty included.
    pub loss: f64,
    /// Of that, the penalty.
    #[serde(default)]
    pub penalty: f64,
    /// Images classified rightly in passing.
    pub correct: u64,
    /// Images seen.
    pub images: u64,
    /// Seconds spent training.
    pub seconds: f64,
}

/// The best epoch by test accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// From 1.
    pub epoch: u64,
    /// A fraction.
    pub test_accuracy: f64,
}

/// Writes weights, what the optimiser and the average keep beside them, and `state` (whose hashes are set here) as one.
///
/// # Errors
/// A file that cannot be written; the checkpoint before it stays.
pub fn save(
    run: &RunDir,
    network: &Network,
    metadata: &Metadata,
    kept: &[(String, Tensor)],
    state: &mut State,
) -> Result<(), TrainError> {
    let (weights, optim) = (run.last(), run.last_optim());
    network.save(&next(&weights), metadata)?;
    let tensors = kept.iter().map(|(name, tensor)| (name.as_str(), tensor));
    let bytes = safetensors::serialize(tensors, None::<HashMap<_, _>>).map_err(|e| torn(&optim, &e))?;
    write_atomic(&next(&optim), &bytes)?;
    state.weights_sha256 = sha256_file(&next(&weights))?;
    state.optim_sha256 = sha256_file(&next(&optim))?;
    write_json(&run.last_state(), state)?;
    for path in [weights, optim] {
        rename(&next(&path), &path)?;
    }
    Ok(())
}

/// Reads the state, finishes a checkpoint that was interrupted, loads the weights into `network` and returns,
/// beside the state, what optimiser and average keep.
///
/// # Errors
/// No checkpoint, one whose parts do not belong together, or one of another network.
pub fn load(run: &RunDir, network: &Network) -> Result<(State, Vec<(String, Tensor)>), TrainError> {
    let state: State = read_json(&run.last_state())?;
    settle(&run.last(), &state.weights_sha256)?;
    settle(&run.last_optim(), &state.optim_sha256)?;
    wick_models::Checkpoint::read(&run.last())?.load_into(&network.parameters)?;
    let kept = candle_core::safetensors::load(run.last_optim(), &Device::Cpu)?;
    Ok((state, kept.into_iter().collect()))
}

fn settle(path: &Path, sha256: &str) -> Result<(), TrainError> {
    let is = |path: &Path| -> Result<bool, TrainError> { Ok(path.exists() && sha256_file(path)? == sha256) };
    let next = next(path);
    if is(path)? {
        // What lies beside belongs to a checkpoint that never came to be.
        if next.exists() {
            std::fs::remove_file(&next).map_err(|source| TrainError::Write { path: next, source })?;
        }
        return Ok(());
    }
    if is(&next)? {
        return rename(&next, path);
    }
    if !path.exists() {
        return Err(torn(path, &"the file is missing"));
    }
    Err(torn(
        path,
        &format!("its SHA-256 should be {sha256}; it was changed or replaced since it was written"),
    ))
}

fn next(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

fn rename(from: &Path, to: &Path) -> Result<(), TrainError> {
    std::fs::rename(from, to).map_err(|source| TrainError::Write { path: to.to_owned(), source })
}

fn torn(path: &Path, message: &dyn std::fmt::Display) -> TrainError {
    TrainError::Checkpoint { path: path.to_owned(), message: message.to_string() }
}
