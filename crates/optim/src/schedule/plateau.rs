//! Less, whenever a metric stops getting better.

use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::check::{not_negative, require};

/// Options of [`Plateau`], with PyTorch's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlateauOptions {
    /// What is better: `min`, less, unless told.
    pub mode: PlateauMode,
    /// What the learning rate is multiplied by, .1 unless told.
    pub factor: f64,
    /// Epochs without an improvement that are let pass; the next one reduces. 10 unless told.
    pub patience: usize,
    /// How much better an improvement is at least, 1e-4 unless told.
    pub threshold: f64,
    /// Of what.
    pub threshold_mode: ThresholdMode,
    /// Epochs after a reduction in which none is counted, 0 unless told.
    pub cooldown: usize,
    /// The least learning rate, 0 unless told.
    pub min_lr: f64,
    /// A reduction by no more than this is not made, 1e-8 unless told.
    pub eps: f64,
}

/// What is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlateauMode {
    /// Less: a loss.
    #[default]
    Min,
    /// More: an accuracy.
    Max,
}

/// Of what a threshold is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdMode {
    /// A share of the best so far.
    #[default]
    Rel,
    /// A difference from it.
    Abs,
}

impl Default for PlateauOptions {
    fn default() -> Self {
        Self {
            mode: PlateauMode::Min,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
        }
    }
}

impl PlateauOptions {
    pub(super) fn check(&self) -> Result<(), OptimError> {
        require(self.factor > 0.0 && self.factor < 1.0, "factor", self.factor, "above 0 and below 1")?;
        not_negative("threshold", self.threshold)?;
        if (self.mode, self.threshold_mode) == (PlateauMode::Min, ThresholdMode::Rel) && self.threshold >= 1.0
        {
            return Err(OptimError::Conflict {
                key: "threshold",
                value: self.threshold.to_string(),
                other_key: "threshold_mode",
                other_value: "\"rel\"".to_owned(),
                reason: "no loss is below the best one by all of it",
            });
        }
        not_negative("min_lr", self.min_lr)?;
        not_negative("eps", self.eps)
    }

    /// Whether `metric` improves on `best`. NaN never does.
    fn is_better(&self, metric: f64, best: f64) -> bool {
        match (self.mode, self.threshold_mode) {
            (PlateauMode::Min, ThresholdMode::Rel) => metric < best * (1.0 - self.threshold),
            (PlateauMode::Min, ThresholdMode::Abs) => metric < best - self.threshold,
            (PlateauMode::Max, ThresholdMode::Rel) => metric > best * (1.0 + self.threshold),
            (PlateauMode::Max, ThresholdMode::Abs) => metric > best + self.threshold,
        }
    }
}

/// Multiplies the learning rate by a factor when a metric has not improved for more than `patience` epochs, as
/// `torch.optim.lr_scheduler.ReduceLROnPlateau`. A function of the metrics so far: [`Plateau::after`] is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    options: PlateauOptions,
    learning_rate: f64,
    best: f64,
    bad_epochs: usize,
    cooldown_left: usize,
}

impl Plateau {
    /// Before the first epoch, at `learning_rate`.
    ///
    /// # Errors
    /// [`OptimError::Option`] for what is out of range.
    pub fn new(options: PlateauOptions, learning_rate: f64) -> Result<Self, OptimError> {
        options.check()?;
        not_negative("lr", learning_rate)?;
        if options.min_lr > learning_rate {
            return Err(OptimError::Conflict {
                key: "min_lr",
                value: options.min_lr.to_string(),
                other_key: "lr",
                other_value: learning_rate.to_string(),
                reason: "it begins below the least learning rate, and would never change",
            });
        }
        let best = match options.mode {
            PlateauMode::Min => f64::INFINITY,
            PlateauMode::Max => f64::NEG_INFINITY,
        };
        Ok(Self { options, learning_rate, best, bad_epochs: 0, cooldown_left: 0 })
    }

    /// After epochs that ended with these metrics.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn after(options: PlateauOptions, learning_rate: f64, metrics: &[f64]) -> Result<Self, OptimError> {
        let mut plateau = Self::new(options, learning_rate)?;
        metrics.iter().for_each(|metric| plateau.observe(*metric));
        Ok(plateau)
    }

    /// What it takes for better.
    pub(super) fn mode(&self) -> PlateauMode {
        self.options.mode
    }

    /// The learning rate of the next epoch.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// An epoch ended with this metric.
    pub fn observe(&mut self, metric: f64) {
        if self.options.is_better(metric, self.best) {
            (self.best, self.bad_epochs) = (metric, 0);
        } else {
            self.bad_epochs += 1;
        }
        if self.cooldown_left > 0 {
            self.cooldown_left -= 1;
            self.bad_epochs = 0; // none is counted while it lasts
        }
        if self.bad_epochs > self.options.patience {
            let reduced = (self.learning_rate * self.options.factor).max(self.options.min_lr);
            if self.learning_rate - reduced > self.options.eps {
                self.learning_rate = reduced;
            }
            (self.cooldown_left, self.bad_epochs) = (self.options.cooldown, 0);
        }
    }
}
