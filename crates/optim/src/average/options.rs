use crate::check::{below_one, not_negative, require};
use crate::{Length, OptimError};
use serde::{Deserialize, Serialize};

/// An average of weights as data: `kind = "none" | "lookahead" | "ema" | "swa"` beside the keys of its options. Unknown keys are refused.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AverageConfig {
    /// The weights themselves.
    // With braces, since serde lets unknown keys of a unit variant pass.
    None {},
    /// Slow weights that follow the trained ones and lead them back.
    Lookahead(LookaheadOptions),
    /// An exponential moving average.
    Ema(EmaOptions),
    /// The equal average of the last epochs' ends.
    Swa(SwaOptions),
}

impl Default for AverageConfig {
    fn default() -> Self {
        Self::None {}
    }
}

/// Every so many steps `slow ← slow + α·(fast − slow)`, then `fast ← slow` (Zhang et al. 2019, *Lookahead Optimizer: k steps
/// forward, 1 step back*). The slow weights start as the initial ones; after the last step the fast ones are the slow ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LookaheadOptions {
    /// Steps from one meeting to the next, 5 unless told. At least 1.
    pub every: usize,
    /// The constant .5 unless told.
    pub alpha: Alpha,
}

impl Default for LookaheadOptions {
    fn default() -> Self {
        Self { every: 5, alpha: Alpha::Constant(0.5) }
    }
}

/// How far slow weights go towards the fast ones. In a configuration file `{ constant = 0.5 }` or
/// `{ decaying = { base = 0.95, power = 3.0 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Alpha {
    /// So much of the way each time. Above 0, 1 at most.
    Constant(f64),
    /// `1 − base^every·(t/T)^power` of the way after step t of T: nearly all of it at first, least at the end (Jordan 2024,
    /// cifar10-airbench, with .95 and 3).
    Decaying {
        /// 0 to 1.
        base: f64,
        /// At least 0.
        power: f64,
    },
}

impl LookaheadOptions {
    /// How far they go after step `t` of `of`.
    pub fn alpha(&self, t: u64, of: u64) -> f64 {
        match self.alpha {
            Alpha::Constant(alpha) => alpha,
            Alpha::Decaying { base, power } => {
                1.0 - base.powf(self.every as f64) * (t as f64 / of.max(1) as f64).powf(power)
            }
        }
    }
}

/// After each step `average ← average + (1 − decay)·(weights − average)`, as `torch.optim.swa_utils.get_ema_avg_fn`; it starts as the
/// weights after the first step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmaOptions {
    /// How much of the average is kept a step, .999 unless told, which remembers some thousand steps. In `[0, 1)`.
    pub decay: f64,
}

impl Default for EmaOptions {
    fn default() -> Self {
        Self { decay: 0.999 }
    }
}

/// After the last step of epoch `start` the average is the weights; after that of each later one, with n of them in it,
/// `average ← average + (weights − average)/(n + 1)`, as `torch.optim.swa_utils.get_swa_avg_fn` (Izmailov et al. 2018, *Averaging
/// Weights Leads to Wider Optima and Better Generalization*).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwaOptions {
    /// The first epoch that counts, from 1.
    pub start: usize,
}

/// What is averaged behind a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixing {
    /// How far the average goes towards the weights, 1 for the first ones; `None`: it stays.
    pub weight: Option<f64>,
    /// Whether the weights become the average then.
    pub gives: bool,
}

impl AverageConfig {
    /// What is averaged after so many steps (1 after the first) of a run of that length, `count` weights being in the average. That
    /// of a look-ahead begins with the initial ones in it.
    pub fn mixing(&self, steps: u64, length: Length, count: u64) -> Option<Mixing> {
        let first = |weight: f64| Some(if count == 0 { 1.0 } else { weight });
        match *self {
            Self::None {} => None,
            Self::Lookahead(options) => {
                let last = length.steps() as u64;
                let meets = steps.is_multiple_of(options.every as u64);
                let weight = meets.then(|| options.alpha(steps, last));
                (meets || steps == last).then_some(Mixing { weight, gives: true })
            }
            Self::Ema(options) => Some(Mixing { weight: first(1.0 - options.decay), gives: false }),
            Self::Swa(options) => {
                let per_epoch = length.steps_per_epoch.max(1) as u64;
                let counts = steps.is_multiple_of(per_epoch) && steps / per_epoch >= options.start as u64;
                counts.then(|| Mixing { weight: first(1.0 / (count + 1) as f64), gives: false })
            }
        }
    }

    /// Whether every option is in its range.
    ///
    /// # Errors
    /// [`OptimError::Option`], naming key and value.
    pub fn check(&self) -> Result<(), OptimError> {
        match *self {
            Self::None {} => Ok(()),
            Self::Lookahead(LookaheadOptions { every, alpha }) => {
                require(every >= 1, "average.every", every, "at least 1")?;
                match alpha {
                    Alpha::Constant(alpha) => {
                        let some = alpha > 0.0 && alpha <= 1.0;
                        require(some, "average.alpha.constant", alpha, "above 0, 1 at most")
                    }
                    Alpha::Decaying { base, power } => {
                        let share = (0.0..=1.0).contains(&base);
                        require(share, "average.alpha.decaying.base", base, "0 to 1")?;
                        not_negative("average.alpha.decaying.power", power)
                    }
                }
            }
            Self::Ema(EmaOptions { decay }) => below_one("average.decay", decay),
            Self::Swa(SwaOptions { start }) => require(start >= 1, "average.start", start, "at least 1"),
        }
    }
}
