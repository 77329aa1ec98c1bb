use super::Point;
use crate::OptimError;
use crate::check::{positive, require};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The highest learning rate of a schedule: a number, or `"find"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Peak {
    /// This one.
    At(f64),
    /// Whatever the range test suggests; to be replaced before a schedule is made.
    Find,
}

impl From<f64> for Peak {
    fn from(learning_rate: f64) -> Self {
        Self::At(learning_rate)
    }
}

impl Serialize for Peak {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(learning_rate) => serializer.serialize_f64(*learning_rate),
            Self::Find => serializer.serialize_str("find"),
        }
    }
}

impl<'de> Deserialize<'de> for Peak {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Peak;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a learning rate or \"find\"")
            }

            fn visit_f64<E>(self, v: f64) -> Result<Peak, E> {
                Ok(Peak::At(v))
            }

            fn visit_i64<E>(self, v: i64) -> Result<Peak, E> {
                Ok(Peak::At(v as f64))
            }

            fn visit_u64<E>(self, v: u64) -> Result<Peak, E> {
                Ok(Peak::At(v as f64))
            }

            fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Peak, E> {
                match v {
                    "find" => Ok(Peak::Find),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(v), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// How values between two ends of a phase are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine wave.
    #[default]
    Cosine,
    /// A straight line.
    Linear,
}

impl Anneal {
    /// From `start` at `fraction` 0 to `end` at 1, in the operations of `torch.optim.lr_scheduler.OneCycleLR`.
    fn between(self, start: f64, end: f64, fraction: f64) -> f64 {
        match self {
            Self::Cosine => end + (start - end) / 2.0 * ((std::f64::consts::PI * fraction).cos() + 1.0),
            Self::Linear => (end - start) * fraction + start,
        }
    }
}

/// How many parts a cycle has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phases {
    /// Up to the peak, then down to the least learning rate (fast.ai's).
    #[default]
    Two,
    /// Up to the peak, back to the initial learning rate in as many steps, then down to the least (Smith & Topin's).
    Three,
}

/// Whether the momentum (Adam's: β₁) goes the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CycleMomentum {
    /// It stays what the optimiser was given.
    Fixed,
    /// From `max` to `base` while the learning rate rises, and back.
    Cycle {
        /// At the peak of the learning rate.
        base: f64,
        /// At both ends.
        max: f64,
    },
}

impl CycleMomentum {
    pub(super) fn check(&self) -> Result<(), OptimError> {
        let Self::Cycle { base, max } = *self else { return Ok(()) };
        for (key, value) in [("base", base), ("max", max)] {
            // At 0 there is no momentum to cycle: Nesterov's and RMSprop's are then other optimisers.
            require(value > 0.0 && value < 1.0, key, value, "above 0 and below 1")?;
        }
        if base > max {
            return Err(OptimError::Conflict {
                key: "base",
                value: base.to_string(),
                other_key: "max",
                other_value: max.to_string(),
                reason: "the momentum is lowest where the learning rate is highest",
            });
        }
        Ok(())
    }
}

/// Options of [`OneCycle`], with PyTorch's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycleOptions {
    /// The peak learning rate, `"find"` unless told.
    pub max_lr: Peak,
    /// The part of all steps that leads up to the peak, .3 unless told. In `[0, 1]`; at most ½ with three phases.
    pub pct_start: f64,
    /// The initial learning rate is `max_lr / div_factor`, 25 unless told.
    pub div_factor: f64,
    /// The last learning rate is the initial one / `final_div_factor`, 1e4 unless told.
    pub final_div_factor: f64,
    /// Cosine unless told.
    pub anneal: Anneal,
    /// Two unless told.
    pub phases: Phases,
    /// .95 → .85 → .95 unless told.
    pub momentum: CycleMomentum,
}

impl Default for OneCycleOptions {
    fn default() -> Self {
        Self {
            max_lr: Peak::Find,
            pct_start: 0.3,
            div_factor: 25.0,
            final_div_factor: 1e4,
            anneal: Anneal::Cosine,
            phases: Phases::Two,
            momentum: CycleMomentum::Cycle { base: 0.85, max: 0.95 },
        }
    }
}

impl OneCycleOptions {
    /// Whether every option is in its range and goes with the others.
    ///
    /// # Errors
    /// [`OptimError::Option`] or [`OptimError::Conflict`], naming keys and values.
    pub fn check(&self) -> Result<(), OptimError> {
        if let Peak::At(max_lr) = self.max_lr {
            positive("max_lr", max_lr)?;
        }
        positive("div_factor", self.div_factor)?;
        positive("final_div_factor", self.final_div_factor)?;
        require((0.0..=1.0).contains(&self.pct_start), "pct_start", self.pct_start, "from 0 to 1")?;
        if self.phases == Phases::Three && self.pct_start > 0.5 {
            return Err(OptimError::Conflict {
                key: "pct_start",
                value: self.pct_start.to_string(),
                other_key: "phases",
                other_value: "three".to_string(),
                reason: "the way back from the peak takes as many steps as the way up, so at most half of all",
            });
        }
        self.momentum.check()
    }
}

/// A stretch of the cycle, up to and including `end_step`, and the values at its two ends.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Phase {
    end_step: f64,
    learning_rate: (f64, f64),
    momentum: (f64, f64),
}

/// One cycle of the learning rate (Smith & Topin 2018), as `torch.optim.lr_scheduler.OneCycleLR` computes it, to the last bit
/// where annealing is linear.
///
/// PyTorch puts a phase's end at the fractional step `pct_start·total_steps − 1`; so does this.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneCycle {
    phases: [Phase; 3], // of two phases, the last is unused
    count: usize,
    last_step: usize,
    anneal: Anneal,
    cycles_momentum: bool,
}

impl OneCycle {
    /// The cycle over `total_steps` steps.
    ///
    /// # Errors
    /// [`OptimError::Option`] for what is out of range, [`OptimError::PeakNotFound`] where `max_lr` is `"find"`.
    pub fn new(options: &OneCycleOptions, total_steps: usize) -> Result<Self, OptimError> {
        options.check()?;
        require(total_steps > 0, "total_steps", total_steps, "at least 1")?;
        let Peak::At(max_lr) = options.max_lr else { return Err(OptimError::PeakNotFound) };
        let initial_lr = max_lr / options.div_factor;
        let min_lr = initial_lr / options.final_div_factor;
        let (base, max, cycles_momentum) = match options.momentum {
            CycleMomentum::Fixed => (0.0, 0.0, false),
            CycleMomentum::Cycle { base, max } => (base, max, true),
        };

        let total = total_steps as f64;
        let phase = |end_step, learning_rate, momentum| Phase { end_step, learning_rate, momentum };
        let up = phase(options.pct_start * total - 1.0, (initial_lr, max_lr), (max, base));
        let (phases, count) = match options.phases {
            Phases::Two => {
                let down = phase(total - 1.0, (max_lr, min_lr), (base, max));
                ([up, down, down], 2)
            }
            Phases::Three => {
                let back = phase(2.0 * options.pct_start * total - 2.0, (max_lr, initial_lr), (base, max));
                let down = phase(total - 1.0, (initial_lr, min_lr), (max, max));
                ([up, back, down], 3)
            }
        };
        let last_step = total_steps - 1;
        Ok(Self { phases, count, last_step, anneal: options.anneal, cycles_momentum })
    }

    /// The learning rate and momentum of step `step`, the first being 0. Steps past the last are like the last.
    pub fn at(&self, step: usize) -> Point {
        let step = step.min(self.last_step) as f64;
        let phases = &self.phases[..self.count];
        let index = phases.iter().position(|p| step <= p.end_step).unwrap_or(self.count - 1);
        let phase = phases[index];
        let start_step = if index == 0 { 0.0 } else { phases[index - 1].end_step };
        let length = phase.end_step - start_step;
        // A phase of no length is a phase at its end (PyTorch divides by zero there).
        let fraction = if length == 0.0 { 1.0 } else { (step - start_step) / length };
        let between = |(start, end)| self.anneal.between(start, end, fraction);
        Point {
            learning_rate: between(phase.learning_rate),
            momentum: self.cycles_momentum.then(|| between(phase.momentum)),
        }
    }
}
