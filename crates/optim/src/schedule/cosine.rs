//! Half cosine waves from the learning rate down to a least one.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{Span, Tick};
use crate::OptimError;
use crate::check::{not_negative, require};

/// `eta_min + (base − eta_min) · (1 + cos(π t / t_max)) / 2`, as `torch.optim.lr_scheduler.CosineAnnealingLR` (Loshchilov &
/// Hutter 2017, without restarts). Past `t_max` the wave goes on, and the learning rate rises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineAnnealing {
    /// Ticks from the top of the wave to its bottom.
    pub t_max: Span,
    /// The least learning rate, 0 unless told.
    #[serde(default)]
    pub eta_min: f64,
    /// What a tick is.
    #[serde(default)]
    pub per: Tick,
}

/// The same wave over `t_0` ticks, then from the top again over `t_mult` times as many each time, as
/// `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts` (Loshchilov & Hutter 2017).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineRestarts {
    /// Ticks of the first wave.
    pub t_0: usize,
    /// How much longer each is than the one before, 1 unless told.
    #[serde(default = "one")]
    pub t_mult: usize,
    /// The least learning rate, 0 unless told.
    #[serde(default)]
    pub eta_min: f64,
    /// What a tick is.
    #[serde(default)]
    pub per: Tick,
}

fn one() -> usize {
    1
}

fn wave(base: f64, eta_min: f64, fraction: f64) -> f64 {
    eta_min + (base - eta_min) * (1.0 + (PI * fraction).cos()) / 2.0
}

impl CosineAnnealing {
    /// The learning rate at tick `t`, of an optimiser's `base`.
    pub fn at(&self, base: f64, t: usize) -> f64 {
        wave(base, self.eta_min, t as f64 / self.t_max.ticks() as f64)
    }

    pub(super) fn check(&self) -> Result<(), OptimError> {
        self.t_max.check("t_max")?;
        not_negative("eta_min", self.eta_min)
    }
}

impl CosineRestarts {
    /// The learning rate at tick `t`, of an optimiser's `base`.
    pub fn at(&self, base: f64, t: usize) -> f64 {
        let (mut since, mut length) = (t, self.t_0);
        if self.t_mult == 1 {
            since %= length;
        }
        while since >= length {
            since -= length;
            length = length.saturating_mul(self.t_mult);
        }
        wave(base, self.eta_min, since as f64 / length as f64)
    }

    pub(super) fn check(&self) -> Result<(), OptimError> {
        require(self.t_0 > 0, "t_0", self.t_0, "at least 1")?;
        require(self.t_mult > 0, "t_mult", self.t_mult, "at least 1")?;
        not_negative("eta_min", self.eta_min)
    }
}
