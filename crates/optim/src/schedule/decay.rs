//! Schedules that multiply the learning rate by a factor of the tick.

use serde::{Deserialize, Serialize};

use super::{Span, Tick};
use crate::OptimError;
use crate::check::{not_negative, positive, require};

/// `base · gamma^⌊t / step_size⌋`, as `torch.optim.lr_scheduler.StepLR`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDecay {
    /// Ticks from one change to the next.
    pub step_size: usize,
    /// What each multiplies by; .1 unless told.
    #[serde(default = "tenth")]
    pub gamma: f64,
    /// What a tick is.
    #[serde(default)]
    pub per: Tick,
}

/// `base · gamma^n`, where `n` milestones are at `t` or before it, as `torch.optim.lr_scheduler.MultiStepLR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiStepDecay {
    /// Ticks at which it changes, in order.
    pub milestones: Vec<usize>,
    /// What each multiplies by; .1 unless told.
    #[serde(default = "tenth")]
    pub gamma: f64,
    /// What a tick is.
    #[serde(default)]
    pub per: Tick,
}

/// `base · gamma^t`, as `torch.optim.lr_scheduler.ExponentialLR`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExponentialDecay {
    /// What each tick multiplies by.
    pub gamma: f64,
    /// What a tick is.
    #[serde(default)]
    pub per: Tick,
}

/// `base · (1 − min(t, total) / total)^power`, as `torch.optim.lr_scheduler.PolynomialLR`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// Ticks until 0.
    pub total: Span,
    /// 1 unless told: a straight line.
    #[serde(default = "one")]
    pub power: f64,
    /// What a tick is.
    #[serde(default)]
    pub per: Tick,
}

/// A straight line from `base · start_factor` to `base · end_factor`, then level, as `torch.optim.lr_scheduler.LinearLR`: a
/// warm-up, or a way down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// At tick 0.
    pub start_factor: f64,
    /// From tick `total` on; 1 unless told.
    #[serde(default = "one")]
    pub end_factor: f64,
    /// Ticks of the line.
    pub total: Span,
    /// What a tick is.
    #[serde(default)]
    pub per: Tick,
}

/// `base · factor` for `total` ticks, then `base`, as `torch.optim.lr_scheduler.ConstantLR`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConstantFactor {
    /// Of the first ticks.
    pub factor: f64,
    /// How many those are.
    pub total: Span,
    /// What a tick is.
    #[serde(default)]
    pub per: Tick,
}

fn tenth() -> f64 {
    0.1
}

fn one() -> f64 {
    1.0
}

/// `gamma^n`, for any `n`.
fn power(gamma: f64, n: usize) -> f64 {
    i32::try_from(n).map_or_else(|_| gamma.powf(n as f64), |n| gamma.powi(n))
}

/// How far `t` is on the way to `total`, from 0 to 1.
fn progress(t: usize, total: Span) -> f64 {
    let total = total.ticks();
    t.min(total) as f64 / total as f64
}

impl StepDecay {
    /// The factor at tick `t`.
    pub fn factor(&self, t: usize) -> f64 {
        power(self.gamma, t / self.step_size)
    }

    pub(super) fn check(&self) -> Result<(), OptimError> {
        require(self.step_size > 0, "step_size", self.step_size, "at least 1")?;
        positive("gamma", self.gamma)
    }
}

impl MultiStepDecay {
    /// The factor at tick `t`.
    pub fn factor(&self, t: usize) -> f64 {
        power(self.gamma, self.milestones.partition_point(|milestone| *milestone <= t))
    }

    pub(super) fn check(&self) -> Result<(), OptimError> {
        let told = || format!("{:?}", self.milestones);
        require(self.milestones.is_sorted(), "milestones", told(), "in order, the earliest first")?;
        positive("gamma", self.gamma)
    }
}

impl ExponentialDecay {
    /// The factor at tick `t`.
    pub fn factor(&self, t: usize) -> f64 {
        power(self.gamma, t)
    }

    pub(super) fn check(&self) -> Result<(), OptimError> {
        positive("gamma", self.gamma)
    }
}

impl Polynomial {
    /// The factor at tick `t`.
    pub fn factor(&self, t: usize) -> f64 {
        (1.0 - progress(t, self.total)).powf(self.power)
    }

    pub(super) fn check(&self) -> Result<(), OptimError> {
        self.total.check("total")?;
        positive("power", self.power)
    }
}

impl Linear {
    /// The factor at tick `t`.
    pub fn factor(&self, t: usize) -> f64 {
        self.start_factor + (self.end_factor - self.start_factor) * progress(t, self.total)
    }

    pub(super) fn check(&self) -> Result<(), OptimError> {
        self.total.check("total")?;
        not_negative("start_factor", self.start_factor)?;
        not_negative("end_factor", self.end_factor)
    }
}

impl ConstantFactor {
    /// The factor at tick `t`.
    pub fn factor(&self, t: usize) -> f64 {
        if t < self.total.ticks() { self.factor } else { 1.0 }
    }

    pub(super) fn check(&self) -> Result<(), OptimError> {
        not_negative("factor", self.factor)
    }
}
