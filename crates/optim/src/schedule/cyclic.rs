//! Up and down again, over and over.

use serde::{Deserialize, Serialize};

use super::{CycleMomentum, Point, Tick};
use crate::OptimError;
use crate::check::{not_negative, positive, require};

/// Triangles between two learning rates (Smith 2017), as `torch.optim.lr_scheduler.CyclicLR`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cyclic {
    /// At the foot of each triangle.
    pub base_lr: f64,
    /// At the tip of the first.
    pub max_lr: f64,
    /// Ticks up.
    pub step_size_up: usize,
    /// Ticks down, as many as up unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_size_down: Option<usize>,
    /// What becomes of the triangles.
    #[serde(default)]
    pub mode: CyclicMode,
    /// Goes the other way round, between .9 and .8 unless told.
    #[serde(default = "momentum")]
    pub momentum: CycleMomentum,
    /// What a tick is: a step unless told.
    #[serde(default = "step")]
    pub per: Tick,
}

/// What becomes of the triangles.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CyclicMode {
    /// All are of the same height.
    #[default]
    Triangular,
    /// Each has half the height of the one before.
    Triangular2,
    /// Heights shrink by a factor a tick.
    ExpRange {
        /// That factor.
        gamma: f64,
    },
}

fn momentum() -> CycleMomentum {
    CycleMomentum::Cycle { base: 0.8, max: 0.9 }
}

fn step() -> Tick {
    Tick::Step
}

impl Cyclic {
    /// The learning rate and momentum at tick `t`.
    pub fn at(&self, t: usize) -> Point {
        let (up, down) = self.sizes();
        let (up, down) = (up as f64, down as f64);
        let total = up + down;
        let (t, ratio) = (t as f64, up / total);
        let cycle = (1.0 + t / total).floor();
        let within = 1.0 + t / total - cycle;
        let height = if within <= ratio { within / ratio } else { (within - 1.0) / (ratio - 1.0) };
        let scale = match self.mode {
            CyclicMode::Triangular => 1.0,
            CyclicMode::Triangular2 => 0.5f64.powf(cycle - 1.0),
            CyclicMode::ExpRange { gamma } => gamma.powf(t),
        };
        let momentum = match self.momentum {
            CycleMomentum::Fixed => None,
            CycleMomentum::Cycle { base, max } => Some(max - (max - base) * height * scale),
        };
        Point { learning_rate: self.base_lr + (self.max_lr - self.base_lr) * height * scale, momentum }
    }

    /// Ticks up and ticks down.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.step_size_up, self.step_size_down.unwrap_or(self.step_size_up))
    }

    pub(super) fn check(&self) -> Result<(), OptimError> {
        not_negative("base_lr", self.base_lr)?;
        positive("max_lr", self.max_lr)?;
        if self.base_lr > self.max_lr {
            return Err(OptimError::Conflict {
                key: "base_lr",
                value: self.base_lr.to_string(),
                other_key: "max_lr",
                other_value: self.max_lr.to_string(),
                reason: "a cycle goes up first",
            });
        }
        require(self.step_size_up > 0, "step_size_up", self.step_size_up, "at least 1")?;
        if let Some(down) = self.step_size_down {
            require(down > 0, "step_size_down", down, "at least 1")?;
        }
        if let CyclicMode::ExpRange { gamma } = self.mode {
            require(gamma > 0.0 && gamma <= 1.0, "gamma", gamma, "above 0 and at most 1")?;
        }
        self.momentum.check()
    }
}
