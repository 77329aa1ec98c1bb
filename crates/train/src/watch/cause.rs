//! Why a run goes wrong, as far as can be told from its losses and its recipe.

use std::fmt;

use serde::{Deserialize, Serialize};
use wick_optim::{Clip, Length, Schedule};

use crate::Recipe;

/// What a recipe says of the length of steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// The learning rate of the first step.
    pub start: f64,
    /// The schedule's highest learning rate.
    pub peak: f64,
    /// How gradients are kept from being too large.
    pub clip: Clip,
}

impl Pace {
    /// Of a recipe with this schedule, over so many steps. Of a plateau, which reduces what it begins with, the peak is that.
    pub(crate) fn of(recipe: &Recipe, schedule: &Schedule, length: Length) -> Self {
        let steps = if recipe.schedule.needs_metrics() { 1 } else { length.steps() };
        let rate = |step: usize| schedule.at(step, &[]).learning_rate;
        Self { start: rate(0), peak: (0..steps).map(rate).fold(0.0, f64::max), clip: recipe.gradients.clip }
    }

    /// What helps where a learning rate is too high.
    pub(super) fn remedy(&self, learning_rate: f64) -> String {
        let (start, peak) = (rate(self.start), rate(self.peak));
        let lower = if self.peak > 1.5 * learning_rate {
            format!("The schedule begins at {start} and goes up to {peak}: lower its peak")
        } else if self.start > 0.5 * learning_rate {
            format!("There is no warm-up to {}: lower it, or begin with less", rate(learning_rate))
        } else {
            format!("Lower the schedule's peak of {peak}, or warm up for longer")
        };
        let clip = match self.clip {
            Clip::None => "or clip the gradients by norm (gradients.clip = { norm = 1.0 })".to_owned(),
            Clip::Value(limit) => {
                format!("and clip by norm; clipping each value to ±{limit} has not prevented it")
            }
            Clip::Norm(most) => format!("or clip by a norm below {most}, which has not prevented it"),
        };
        format!("{lower}, {clip}.")
    }
}

/// Steps in which the loss was far above that of guessing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leap {
    /// The first of them, from 1.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// Their mean loss, without the penalty.
    pub loss: f64,
    /// The last one's learning rate.
    pub learning_rate: f64,
}

impl fmt::Display for Leap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, loss, learning_rate } = self;
        write!(
            f,
            "rose to {loss:.2} in steps {first} to {last}, at a learning rate of {}",
            rate(*learning_rate)
        )
    }
}

/// Why nothing is learnt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cause {
    /// The loss has leapt, as it does where steps are too long; where they are too short, it stays what it was.
    TooHigh {
        /// Where.
        leap: Leap,
        /// What the recipe says.
        pace: Pace,
    },
    /// The loss has not leapt, and the learning rate is below a tenth of the peak to come.
    StillLow {
        /// Now.
        learning_rate: f64,
        /// To come.
        peak: f64,
    },
    /// What is known speaks for neither.
    TooHighOrTooLow {
        /// Now.
        learning_rate: f64,
    },
}

impl Cause {
    /// What is known: whether the loss has leapt, the pace, the learning rate now, and the highest until now.
    pub(super) fn of(leap: Option<Leap>, pace: Pace, learning_rate: f64, highest: f64) -> Self {
        match leap {
            Some(leap) => Self::TooHigh { leap, pace },
            None if highest < 0.1 * pace.peak => Self::StillLow { learning_rate, peak: pace.peak },
            None => Self::TooHighOrTooLow { learning_rate },
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooHigh { leap, pace } => write!(
                f,
                "The learning rate was most likely far too high, and the network has died: the loss {leap}. {}",
                pace.remedy(leap.learning_rate)
            ),
            Self::StillLow { learning_rate, peak } => write!(
                f,
                "The learning rate of {} is most likely too low yet, below a tenth of its peak of {}: if nothing is learnt as it rises, warm \
                 up faster, or look at the range test's curve (`find-lr`) for a better peak.",
                rate(*learning_rate),
                rate(*peak)
            ),
            Self::TooHighOrTooLow { learning_rate } => write!(
                f,
                "The learning rate ({} now) is far too low, or was so high that the network has died; the loss never leapt, which would tell. \
                 Take one at which the range test's loss falls (`find-lr`).",
                rate(*learning_rate)
            ),
        }
    }
}

/// A learning rate to three digits.
pub(super) fn rate(learning_rate: f64) -> String {
    let rounded = format!("{learning_rate:.2e}");
    match rounded.parse::<f64>() {
        Ok(number) if (1e-4..1e4).contains(&number) => number.to_string(),
        _ => rounded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_short() {
        let rates = [0.040000000000000036, 1.0, 1e-3, 1.23456e-7].map(rate);
        assert_eq!(rates, ["0.04", "1", "0.001", "1.23e-7"]);
    }

    #[test]
    fn what_helps_depends_on_schedule_and_clipping() {
        let pace = |start: f64, clip: Clip| Pace { start, peak: 1.0, clip };
        for (pace, at, said) in [
            (
                pace(0.04, Clip::None),
                0.04,
                ["begins at 0.04 and goes up to 1", "or clip the gradients by norm"],
            ),
            (pace(1.0, Clip::Value(0.1)), 1.0, ["no warm-up to 1: lower it", "each value to ±0.1 has not"]),
            (pace(0.04, Clip::Norm(2.0)), 0.9, ["peak of 1, or warm up for longer", "a norm below 2, which"]),
        ] {
            let text = pace.remedy(at);
            assert!(said.iter().all(|said| text.contains(said)), "{text}");
        }
    }

    #[test]
    fn a_cause_names_a_direction_where_something_speaks_for_it() {
        let pace = Pace { start: 0.01, peak: 1.0, clip: Clip::None };
        let leap = Leap { first: 2, last: 4, loss: 5.0, learning_rate: 0.01 };
        assert_eq!(Cause::of(Some(leap), pace, 0.01, 0.01), Cause::TooHigh { leap, pace });
        assert_eq!(Cause::of(None, pace, 0.05, 0.05), Cause::StillLow { learning_rate: 0.05, peak: 1.0 });
        assert_eq!(Cause::of(None, pace, 0.5, 0.5), Cause::TooHighOrTooLow { learning_rate: 0.5 });
        // On its way down.
        assert_eq!(Cause::of(None, pace, 0.05, 1.0), Cause::TooHighOrTooLow { learning_rate: 0.05 });
    }
}
