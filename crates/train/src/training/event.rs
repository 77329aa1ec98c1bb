//! What a training run tells its observer.

use wick_runs::{EpochRow, NormRow, StepRow, TimingRow};

use crate::Warning;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A run goes on from its checkpoint.
    Resumed {
        /// Epoch in progress, from 1.
        epoch: u64,
        /// Epochs in all; the one in progress is beyond them where none is left.
        epochs: usize,
        /// Batches of it that are done.
        step_in_epoch: usize,
        /// Rows past the checkpoint that were cut from the CSV files; their work is done again.
        rows_cut: usize,
    },
    /// A step is done.
    Step(&'a Progress),
    /// The rows of the steps since the last event of this kind: one on the CPU, up to 64 on a GPU.
    Rows(&'a [StepRow]),
    /// An epoch's last step is done.
    Weights {
        /// What it left: every trained parameter's name and values, as training goes on with them.
        weights: &'a [(String, Vec<f32>)],
        /// How large they are, in the same order.
        norms: &'a [NormRow],
    },
    /// Images evaluated so far.
    Evaluated {
        /// Done.
        images: usize,
        /// Of so many.
        total: usize,
    },
    /// An epoch is done.
    Epoch {
        /// Its figures.
        row: &'a EpochRow,
        /// Its time.
        timing: &'a TimingRow,
        /// Whether its test accuracy is the best so far.
        is_best: bool,
    },
    /// The run looks as it should not. Each kind is told once, however often the run is interrupted.
    Warning(&'a Warning),
    /// A checkpoint is on disk.
    Checkpoint,
}

/// Where an epoch stands.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// From 1.
    pub epoch: u64,
    /// Of so many.
    pub epochs: usize,
    /// Batches done in this epoch.
    pub step: usize,
    /// Of so many.
    pub steps: usize,
    /// Mean loss of the epoch so far.
    pub loss: f64,
    /// Train accuracy of the epoch so far, a fraction.
    pub accuracy: f64,
    /// The learning rate of the step.
    pub lr: f64,
    /// Training speed of the epoch so far.
    pub images_per_second: f64,
    /// The same in steps.
    pub steps_per_second: f64,
    /// Estimated seconds of training to the end of the run, evaluation not counted.
    pub seconds_left: f64,
}

/// Listens to a run.
pub type Observer<'a> = dyn FnMut(Event<'_>) + 'a;
