//! What a run should not look like, in words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cause::{Cause, Leap, Pace, rate};

/// What a run should not look like.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// In each of many steps nearly all images were taken for one class, at a loss no better than guessing's.
    ConstantPrediction {
        /// The steps.
        span: Span,
        /// Of how many classes.
        classes: usize,
        /// Mean loss of these steps, without the penalty.
        loss: f64,
        /// What is known of the reason.
        cause: Cause,
    },
    /// Many steps, or an epoch, at the loss and accuracy of guessing, or worse.
    NothingLearnt {
        /// The steps, or the epoch.
        span: Span,
        /// Their mean loss, without the penalty.
        loss: f64,
        /// Of how many classes.
        classes: usize,
        /// What is known of the reason.
        cause: Cause,
    },
    /// A loss far above that of guessing, and above that of the first step.
    LossLeaps {
        /// Where, and how high.
        leap: Leap,
        /// Of how many classes.
        classes: usize,
        /// What the recipe says of the length of steps.
        pace: Pace,
    },
    /// The penalty is most of what is minimised, and more than there is to learn.
    PenaltyDominates {
        /// Mean of many steps, or of an epoch.
        penalty: f64,
        /// Mean loss of these steps, the penalty included.
        loss: f64,
    },
    /// A gradient a hundred times as large as those before it.
    GradientExplodes {
        /// The step, from 1.
        step: u64,
        /// The gradient's norm.
        norm: f64,
        /// The geometric mean of the norms before it, the last hundred counting most.
        usual: f64,
        /// The step's learning rate.
        learning_rate: f64,
        /// What the recipe says of the length of steps.
        pace: Pace,
    },
    /// A gradient whose norm is infinite or no number.
    GradientNotFinite {
        /// The step, from 1.
        step: u64,
        /// The gradient's norm.
        norm: f64,
        /// The step's learning rate.
        learning_rate: f64,
        /// What the recipe says of the length of steps.
        pace: Pace,
    },
    /// A schedule that hardly changes the learning rate over the whole run.
    ScheduleStandsStill {
        /// The learning rate of the first step.
        learning_rate: f64,
    },
    /// Half of the epochs or more are done, and a plateau has reduced nothing.
    PlateauNeverReduced {
        /// Epochs done.
        epochs: usize,
        /// The learning rate of all of them.
        learning_rate: f64,
    },
}

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Steps from the first of these to the last, from 1.
    Steps(u64, u64),
    /// An epoch, from 1.
    Epoch(u64),
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(first, last) => write!(f, "steps {first} to {last}"),
            Self::Epoch(epoch) => write!(f, "epoch {epoch}"),
        }
    }
}

/// Warnings that are given once together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    ConstantPrediction,
    NothingLearnt,
    LossLeaps,
    PenaltyDominates,
    GradientExplodes,
    GradientNotFinite,
    ScheduleStandsStill,
    PlateauNeverReduced,
}

impl Warning {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::ConstantPrediction { .. } => Kind::ConstantPrediction,
            Self::NothingLearnt { .. } => Kind::NothingLearnt,
            Self::LossLeaps { .. } => Kind::LossLeaps,
            Self::PenaltyDominates { .. } => Kind::PenaltyDominates,
            Self::GradientExplodes { .. } => Kind::GradientExplodes,
            Self::GradientNotFinite { .. } => Kind::GradientNotFinite,
            Self::ScheduleStandsStill { .. } => Kind::ScheduleStandsStill,
            Self::PlateauNeverReduced { .. } => Kind::PlateauNeverReduced,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConstantPrediction { span, classes, loss, cause } => write!(
                f,
                "in each of {span}, nearly all images were taken for one and the same class, at a mean loss of {loss:.3}, where guessing \
                 has ln {classes} = {:.3}. {cause}",
                guessing(*classes)
            ),
            Self::NothingLearnt { span, loss, classes, cause } => write!(
                f,
                "the train loss of {span} is {loss:.3} in the mean, which is that of guessing (ln {classes} = {:.3}) or worse. {cause}",
                guessing(*classes)
            ),
            Self::LossLeaps { leap, classes, pace } => write!(
                f,
                "the loss {leap}, where guessing has ln {classes} = {:.3}: the learning rate is most likely too high. {}",
                guessing(*classes),
                pace.remedy(leap.learning_rate)
            ),
            Self::PenaltyDominates { penalty, loss } => write!(
                f,
                "the L1 penalty is {penalty:.2} of a loss of {loss:.2}: most of what is minimised is the size of the weights. Lower \
                 gradients.l1."
            ),
            Self::GradientExplodes { step, norm, usual, learning_rate, pace } => write!(
                f,
                "the gradient of step {step} has the norm {norm:.2e}, where {usual:.2e} is usual. The learning rate of {} is most likely \
                 too high. {}",
                rate(*learning_rate),
                pace.remedy(*learning_rate)
            ),
            Self::GradientNotFinite { step, norm, learning_rate, pace } => write!(
                f,
                "the gradient of step {step} has the norm {norm}, and the weights that it leads to are most likely no numbers. The \
                 learning rate of {} is most likely too high. {}",
                rate(*learning_rate),
                pace.remedy(*learning_rate)
            ),
            Self::ScheduleStandsStill { learning_rate } => write!(
                f,
                "over all of the run, the schedule keeps the learning rate within 5 % of {learning_rate:.3e}. Are its ticks the right ones \
                 (per), and is it as long as the run?"
            ),
            Self::PlateauNeverReduced { epochs, learning_rate } => write!(
                f,
                "after {epochs} epochs, half of all or more, the plateau has not reduced the learning rate of {learning_rate:.3e} once. Its \
                 patience may be longer than any pause of the run."
            ),
        }
    }
}

/// The cross-entropy of equal probabilities, ln C. It is the same for every label, and so with label smoothing and mixed labels.
pub(super) fn guessing(classes: usize) -> f64 {
    (classes as f64).ln()
}
