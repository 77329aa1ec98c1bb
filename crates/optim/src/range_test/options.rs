use crate::OptimError;
use crate::check::{below_one, positive, require};
use serde::{Deserialize, Serialize};

/// How learning rates are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// Each is the same multiple of the one before.
    #[default]
    Exponential,
    /// Each is the same amount above the one before.
    Linear,
}

/// Of which images a range test's losses are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeTestLoss {
    /// Of each step's batch, before the step.
    #[default]
    Train,
    /// Of images that are not trained on, the same ones after each step: what `range_test(…, val_loader=…)` of
    /// [torch-lr-finder](https://github.com/davidtvs/pytorch-lr-finder) does. Slower, and less noisy.
    Test,
}

/// Options of a range test, with torch-lr-finder's defaults but for the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RangeTestOptions {
    /// The first learning rate, 1e-5 unless told.
    pub start: f64,
    /// The last learning rate, .1 unless told. Above `start`.
    pub end: f64,
    /// How many steps, 100 unless told. At least 2.
    pub steps: usize,
    /// Exponential unless told.
    pub spacing: Spacing,
    /// The training loss unless told. It is whoever takes the steps that computes either.
    #[serde(skip_serializing_if = "is_train")]
    pub loss: RangeTestLoss,
    /// Images that a test loss is the mean of, 512 unless told; all of them where there are fewer. At least 1.
    #[serde(skip_serializing_if = "is_usual_sample")]
    pub sample: usize,
    /// The weight of each new loss in the smoothed one, .05 unless told; 0 turns smoothing off. In `[0, 1)`.
    pub smoothing: f64,
    /// The test stops when the smoothed loss exceeds this many times its best, 5 unless told. At least 1.
    pub diverge_threshold: f64,
    /// Readings at the start that suggestions leave out, 10 unless told.
    pub skip_start: usize,
    /// Readings at the end that suggestions leave out, 5 unless told.
    pub skip_end: usize,
}

/// A few batches: an evaluation of them takes about as long as a step.
const SAMPLE: usize = 512;

// Younger keys, which recipes that do not need them leave out.
fn is_train(loss: &RangeTestLoss) -> bool {
    *loss == RangeTestLoss::Train
}

fn is_usual_sample(sample: &usize) -> bool {
    *sample == SAMPLE
}

impl Default for RangeTestOptions {
    fn default() -> Self {
        Self {
            start: 1e-5,
            end: 0.1,
            steps: 100,
            spacing: Spacing::Exponential,
            loss: RangeTestLoss::Train,
            sample: SAMPLE,
            smoothing: 0.05,
            diverge_threshold: 5.0,
            skip_start: 10,
            skip_end: 5,
        }
    }
}

impl RangeTestOptions {
    /// Whether every option is in its range and goes with the others.
    ///
    /// # Errors
    /// [`OptimError::Option`] or [`OptimError::Conflict`], naming keys and values.
    pub fn check(&self) -> Result<(), OptimError> {
        positive("start", self.start)?;
        positive("end", self.end)?;
        if self.end <= self.start {
            return Err(OptimError::Conflict {
                key: "start",
                value: self.start.to_string(),
                other_key: "end",
                other_value: self.end.to_string(),
                reason: "the learning rate rises from start to end",
            });
        }
        require(self.steps >= 2, "steps", self.steps, "at least 2")?;
        require(self.sample >= 1, "sample", self.sample, "at least 1")?;
        below_one("smoothing", self.smoothing)?;
        let threshold = self.diverge_threshold;
        require(threshold >= 1.0, "diverge_threshold", threshold, "at least 1")?;
        let needed = self.needed();
        require(self.steps >= needed, "steps", self.steps, "at least skip_start + skip_end + 2")
    }

    /// Readings that a suggestion takes.
    pub(crate) fn needed(&self) -> usize {
        self.skip_start.saturating_add(self.skip_end).saturating_add(2)
    }

    /// The learning rate of step `step`, in the operations of torch-lr-finder's schedulers.
    pub fn learning_rate(&self, step: usize) -> f64 {
        let fraction = step as f64 / (self.steps.max(2) - 1) as f64;
        match self.spacing {
            Spacing::Exponential => self.start * (self.end / self.start).powf(fraction),
            Spacing::Linear => self.start + fraction * (self.end - self.start),
        }
    }

    /// The learning rates of all steps.
    pub fn learning_rates(&self) -> Vec<f64> {
        (0..self.steps).map(|step| self.learning_rate(step)).collect()
    }
}
