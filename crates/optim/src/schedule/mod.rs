//! Schedules: what the learning rate and the momentum are at a step, as pure functions of the step.

mod one_cycle;

pub use one_cycle::{Anneal, CycleMomentum, OneCycle, OneCycleOptions, Peak, Phases};

use crate::OptimError;
use crate::check::not_negative;
use serde::{Deserialize, Serialize};

/// What a schedule says of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The step's learning rate.
    pub learning_rate: f64,
    /// The step's momentum (Adam's: β₁); `None` where the schedule leaves the optimiser's own.
    pub momentum: Option<f64>,
}

/// A schedule as data: `kind = "constant" | "one_cycle"` beside the keys of its options. Unknown keys are refused.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ScheduleConfig {
    /// The optimiser's own learning rate and momentum, throughout.
    // With braces, since serde lets unknown keys of a unit variant pass.
    Constant {},
    /// [`OneCycle`]
    OneCycle(OneCycleOptions),
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self::Constant {}
    }
}

impl ScheduleConfig {
    /// Whether every option is in its range and goes with the others.
    ///
    /// # Errors
    /// [`OptimError::Option`] or [`OptimError::Conflict`], naming keys and values.
    pub fn check(&self) -> Result<(), OptimError> {
        match self {
            Self::Constant {} => Ok(()),
            Self::OneCycle(options) => options.check(),
        }
    }

    /// Whether a range test has to find the peak first.
    pub fn needs_range_test(&self) -> bool {
        matches!(self, Self::OneCycle(OneCycleOptions { max_lr: Peak::Find, .. }))
    }

    /// The same with `max_lr` in the place of `"find"`.
    #[must_use]
    pub fn with_found(self, max_lr: f64) -> Self {
        match self {
            Self::OneCycle(options) if options.max_lr == Peak::Find => {
                Self::OneCycle(OneCycleOptions { max_lr: Peak::At(max_lr), ..options })
            }
            other => other,
        }
    }

    /// The schedule over `total_steps` steps; `learning_rate` is the optimiser's.
    ///
    /// # Errors
    /// [`OptimError::Option`] for what is out of range, [`OptimError::PeakNotFound`] where `max_lr` is still `"find"`.
    pub fn build(&self, learning_rate: f64, total_steps: usize) -> Result<Schedule, OptimError> {
        match self {
            Self::Constant {} => {
                not_negative("learning_rate", learning_rate)?;
                Ok(Schedule::Constant { learning_rate })
            }
            Self::OneCycle(options) => Ok(Schedule::OneCycle(OneCycle::new(options, total_steps)?)),
        }
    }
}

/// Any schedule of this crate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// One learning rate throughout.
    Constant {
        /// That learning rate.
        learning_rate: f64,
    },
    /// [`OneCycle`]
    OneCycle(OneCycle),
}

impl Schedule {
    /// The learning rate and momentum of step `step`, the first being 0.
    pub fn at(&self, step: usize) -> Point {
        match self {
            Self::Constant { learning_rate } => Point { learning_rate: *learning_rate, momentum: None },
            Self::OneCycle(one_cycle) => one_cycle.at(step),
        }
    }
}
