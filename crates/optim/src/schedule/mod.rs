//! Schedules: what the learning rate and the momentum are at a step, as pure functions of the step, or of the metrics so far.

mod cosine;
mod cyclic;
mod decay;
mod judged;
mod length;
mod one_cycle;
mod plateau;
mod sequential;
mod span;

pub use cosine::{CosineAnnealing, CosineRestarts};
pub use cyclic::{Cyclic, CyclicMode};
pub use decay::{ConstantFactor, ExponentialDecay, Linear, MultiStepDecay, Polynomial, StepDecay};
pub use judged::Judged;
pub use length::{Length, Room, Tick, TooLong};
pub use one_cycle::{Anneal, CycleMomentum, OneCycle, OneCycleOptions, Peak, Phases};
pub use plateau::{Plateau, PlateauMode, PlateauOptions, ThresholdMode};
pub use sequential::Sequential;
pub use span::Span;

use crate::OptimError;
use crate::check::{not_negative, require};
use serde::{Deserialize, Serialize};

/// What a schedule says of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The step's learning rate.
    pub learning_rate: f64,
    /// The step's momentum (Adam's: β₁); `None` where the schedule leaves the optimiser's own.
    pub momentum: Option<f64>,
}

impl Point {
    fn of(learning_rate: f64) -> Self {
        Self { learning_rate, momentum: None }
    }
}

/// A schedule as data: `kind` beside the keys of its options. Unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ScheduleConfig {
    /// The optimiser's own learning rate and momentum, throughout.
    // With braces, since serde lets unknown keys of a unit variant pass.
    Constant {},
    /// [`OneCycle`]
    OneCycle(OneCycleOptions),
    /// [`StepDecay`]
    Step(StepDecay),
    /// [`MultiStepDecay`]
    MultiStep(MultiStepDecay),
    /// [`ExponentialDecay`]
    Exponential(ExponentialDecay),
    /// [`CosineAnnealing`]
    Cosine(CosineAnnealing),
    /// [`CosineRestarts`]
    CosineRestarts(CosineRestarts),
    /// [`Cyclic`]
    Cyclic(Cyclic),
    /// [`Polynomial`]
    Polynomial(Polynomial),
    /// [`Linear`]
    Linear(Linear),
    /// [`ConstantFactor`]
    ConstantFactor(ConstantFactor),
    /// [`Sequential`]
    Sequential(Sequential),
    /// [`Plateau`]: of the loss where less is better, of the accuracy where more is.
    Plateau(PlateauOptions),
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
            Self::Step(options) => options.check(),
            Self::MultiStep(options) => options.check(),
            Self::Exponential(options) => options.check(),
            Self::Cosine(options) => options.check(),
            Self::CosineRestarts(options) => options.check(),
            Self::Cyclic(options) => options.check(),
            Self::Polynomial(options) => options.check(),
            Self::Linear(options) => options.check(),
            Self::ConstantFactor(options) => options.check(),
            Self::Sequential(options) => options.check(),
            Self::Plateau(options) => options.check(),
        }
    }

    /// Whether it sets the momentum too, which not every optimiser has.
    pub fn cycles_momentum(&self) -> bool {
        match self {
            Self::OneCycle(options) => options.momentum != CycleMomentum::Fixed,
            Self::Cyclic(options) => options.momentum != CycleMomentum::Fixed,
            Self::Sequential(options) => options.schedules.iter().any(Self::cycles_momentum),
            _ => false,
        }
    }

    /// Whether it looks at what the epochs so far ended with.
    pub fn needs_metrics(&self) -> bool {
        matches!(self, Self::Plateau(_))
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

    /// What a function of ticks counts.
    fn per(&self) -> Option<Tick> {
        match self {
            Self::Constant {} | Self::OneCycle(_) | Self::Sequential(_) | Self::Plateau(_) => None,
            Self::Step(options) => Some(options.per),
            Self::MultiStep(options) => Some(options.per),
            Self::Exponential(options) => Some(options.per),
            Self::Cosine(options) => Some(options.per),
            Self::CosineRestarts(options) => Some(options.per),
            Self::Cyclic(options) => Some(options.per),
            Self::Polynomial(options) => Some(options.per),
            Self::Linear(options) => Some(options.per),
            Self::ConstantFactor(options) => Some(options.per),
        }
    }

    /// What it counts, a sequence included. That of a schedule without ticks is of no account.
    fn counts(&self) -> Tick {
        match self {
            Self::Sequential(options) => options.per,
            other => other.per().unwrap_or_default(),
        }
    }

    /// The learning rate and momentum at tick `t`, of an optimiser's learning rate `base`.
    fn at_tick(&self, base: f64, t: usize) -> Point {
        match self {
            Self::Constant {} | Self::OneCycle(_) | Self::Plateau(_) => Point::of(base),
            Self::Step(options) => Point::of(base * options.factor(t)),
            Self::MultiStep(options) => Point::of(base * options.factor(t)),
            Self::Exponential(options) => Point::of(base * options.factor(t)),
            Self::Cosine(options) => Point::of(options.at(base, t)),
            Self::CosineRestarts(options) => Point::of(options.at(base, t)),
            Self::Cyclic(options) => options.at(t),
            Self::Polynomial(options) => Point::of(base * options.factor(t)),
            Self::Linear(options) => Point::of(base * options.factor(t)),
            Self::ConstantFactor(options) => Point::of(base * options.factor(t)),
            Self::Sequential(options) => options.at(base, t),
        }
    }

    /// The schedule of a run; `learning_rate` is the optimiser's.
    ///
    /// # Errors
    /// [`OptimError::Option`] for what is out of range, [`OptimError::PeakNotFound`] where `max_lr` is still `"find"`.
    pub fn build(&self, learning_rate: f64, length: Length) -> Result<Schedule, OptimError> {
        match self {
            Self::OneCycle(options) => {
                return Ok(Schedule(Curve::OneCycle(OneCycle::new(options, length.steps())?)));
            }
            Self::Plateau(options) => {
                return Ok(Schedule(Curve::Plateau(Plateau::new(*options, learning_rate)?)));
            }
            _ => {}
        }
        self.check()?;
        not_negative("learning_rate", learning_rate)?;
        require(length.steps_per_epoch > 0, "steps_per_epoch", length.steps_per_epoch, "at least 1")?;
        let steps_per_tick = match self.counts() {
            Tick::Epoch => length.steps_per_epoch,
            Tick::Step => 1,
        };
        let config = self.clone().over(length);
        let schedule = Schedule(Curve::Ticks { config, learning_rate, steps_per_tick });
        // Those that grow are largest at the end.
        let last = schedule.at(length.steps().saturating_sub(1), &[]).learning_rate;
        require(last.is_finite(), "the learning rate of the last step", last, "finite")?;
        Ok(schedule)
    }
}

/// Any schedule of this crate, made for a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule(Curve);

#[derive(Debug, Clone, PartialEq)]
enum Curve {
    OneCycle(OneCycle),
    /// Before the first epoch.
    Plateau(Plateau),
    /// A function of ticks.
    Ticks {
        config: ScheduleConfig,
        learning_rate: f64,
        steps_per_tick: usize,
    },
}

impl Schedule {
    /// The learning rate and momentum of step `step`, the first being 0, after epochs that ended with `judged`. Only a plateau
    /// looks at those.
    pub fn at(&self, step: usize, judged: &[Judged]) -> Point {
        match &self.0 {
            Curve::OneCycle(one_cycle) => one_cycle.at(step),
            Curve::Plateau(plateau) => {
                let mut plateau = *plateau;
                for epoch in judged {
                    plateau.observe(match plateau.mode() {
                        PlateauMode::Min => epoch.loss,
                        PlateauMode::Max => epoch.accuracy,
                    });
                }
                Point::of(plateau.learning_rate())
            }
            Curve::Ticks { config, learning_rate, steps_per_tick } => {
                config.at_tick(*learning_rate, step / steps_per_tick)
            }
        }
    }
}
