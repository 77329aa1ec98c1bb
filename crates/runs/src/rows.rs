//! The record types of the CSV files, and of the range test's JSON.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::numbers::grouped;

/// One line of a CSV file whose columns are fixed.
pub trait Row: Serialize + DeserializeOwned {
    /// The header, in the order of the fields.
    const COLUMNS: &'static [&'static str];
}

/// A row that belongs to a point in the run, so that a resumed run can cut what lies past its checkpoint.
pub trait Ordered: Row {
    /// The epoch or step, whichever counts the rows.
    fn position(&self) -> u64;
}

/// One epoch, in `epochs.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// Counted from 1.
    pub epoch: u64,
    /// Learning rate that the epoch's last step used.
    pub lr: f64,
    /// Momentum (or Adam's β₁) that the epoch's last step used.
    pub momentum: f64,
    /// Mean loss per training image, as seen while training.
    pub train_loss: f64,
    /// Fraction of training images predicted rightly, as seen while training.
    pub train_accuracy: f64,
    /// Mean loss per test image.
    pub test_loss: f64,
    /// Fraction of test images predicted rightly.
    pub test_accuracy: f64,
}

/// How long an epoch took, in `timing.csv` (apart from `epochs.csv`, which is the same for each repetition).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimingRow {
    /// Counted from 1.
    pub epoch: u64,
    /// Wall-clock seconds of the training part.
    pub seconds: f64,
    /// Training images a second.
    pub images_per_second: f64,
}

/// One optimiser step, in `steps.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// Counted from 1 over the whole run.
    pub step: u64,
    /// The epoch it belongs to, counted from 1.
    pub epoch: u64,
    /// Learning rate it used.
    pub lr: f64,
    /// Mean loss of its batch, before the update.
    pub loss: f64,
}

/// How large a parameter is at an epoch's end, in `norms.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NormRow {
    /// Counted from 1.
    pub epoch: u64,
    /// The epoch's last step, counted from 1 over the whole run.
    pub step: u64,
    /// The parameter's name, as in the weights' file.
    pub parameter: String,
    /// Its Euclidean norm after that step.
    pub weight_norm: f64,
    /// The Euclidean norm of its gradient in that step, before any clipping; empty where it never reached the host.
    pub gradient_norm: Option<f64>,
}

/// One step of the learning-rate range test, in `lr_finder.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LrFinderRow {
    /// Counted from 0.
    pub step: u64,
    /// Learning rate it used.
    pub lr: f64,
    /// Loss of its batch before the step, or of the images set aside for testing after it: see [`LrFinderLoss`].
    pub loss: f64,
    /// Exponentially smoothed loss.
    pub smoothed: f64,
}

/// What the range test suggests, in `lr_finder.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LrFinderReport {
    /// By rule (`steepest`, `valley`, `minimum/10`); a rule that found nothing is absent.
    pub suggestions: BTreeMap<String, Suggestion>,
    /// How the test was run.
    pub settings: LrFinderSettings,
    /// Whether the loss diverged before the last step.
    pub stopped_early: bool,
}

/// One rule's suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The row of `lr_finder.csv`, counted from 0.
    pub index: usize,
    /// The learning rate: that row's, or what the rule makes of it (a tenth).
    pub lr: f64,
}

/// How a range test was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LrFinderSettings {
    /// First learning rate.
    pub start_lr: f64,
    /// Last learning rate.
    pub end_lr: f64,
    /// Steps from the first to the last.
    pub steps: usize,
    /// Between the two: `exponential` or `linear`.
    pub mode: String,
    /// Weight of the new loss in the smoothed one.
    pub smoothing: f64,
    /// The test stops where the smoothed loss exceeds this many times the best.
    pub diverge: f64,
    /// Rows left out at the start when a rule looks for its point.
    pub skip_start: usize,
    /// Rows left out at the end.
    pub skip_end: usize,
    /// Images a batch.
    pub batch_size: usize,
    /// Of which images the losses are; of older files, the batches'.
    #[serde(default)]
    pub loss: LrFinderLoss,
}

/// Of which images a range test's losses are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LrFinderLoss {
    /// Each step's batch, with what the recipe adds to its loss.
    #[default]
    Train,
    /// So many images of the test split, the same ones after each step.
    Test(usize),
    /// So many held-out training images, the same ones after each step.
    HeldOut(usize),
}

impl LrFinderLoss {
    /// `training loss`, `test loss of 512 images`, `held-out loss of 512 images`.
    pub fn name(self) -> String {
        match self {
            Self::Train => "training loss".to_owned(),
            Self::Test(images) => format!("test loss of {} images", grouped(images as u64)),
            Self::HeldOut(images) => format!("held-out loss of {} images", grouped(images as u64)),
        }
    }
}

/// One class, in `per_class.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PerClassRow {
    /// Counted from 0.
    pub class: usize,
    /// The class's name.
    pub name: String,
    /// Test images of the class.
    pub images: u64,
    /// How many of them were predicted rightly.
    pub correct: u64,
    /// The fraction of them.
    pub accuracy: f64,
}

macro_rules! columns {
    ($($row:ty: $($column:literal)*;)*) => {
        $(impl Row for $row { const COLUMNS: &'static [&'static str] = &[$($column),*]; })*
    };
}

columns! {
    EpochRow: "epoch" "lr" "momentum" "train_loss" "train_accuracy" "test_loss" "test_accuracy";
    TimingRow: "epoch" "seconds" "images_per_second";
    StepRow: "step" "epoch" "lr" "loss";
    NormRow: "epoch" "step" "parameter" "weight_norm" "gradient_norm";
    LrFinderRow: "step" "lr" "loss" "smoothed";
    PerClassRow: "class" "name" "images" "correct" "accuracy";
}

macro_rules! ordered {
    ($($row:ty: $field:ident;)*) => {
        $(impl Ordered for $row { fn position(&self) -> u64 { self.$field } })*
    };
}

ordered! {
    EpochRow: epoch;
    TimingRow: epoch;
    StepRow: step;
    NormRow: epoch;
    LrFinderRow: step;
}
