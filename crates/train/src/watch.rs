//! Telling a run that goes wrong, while it runs, and the likely cause.

use std::fmt;
use std::mem::{Discriminant, discriminant};

/// Steps that are looked at together.
const WINDOW: usize = 100;

/// What a run should not look like.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// Nearly all images of many steps were taken for the same class.
    ConstantPrediction {
        /// Which.
        class: usize,
        /// Of how many classes.
        classes: usize,
        /// Mean loss of these steps, without the penalty.
        loss: f64,
        /// The last step's learning rate.
        learning_rate: f64,
    },
    /// An epoch has ended where it began: at the loss and accuracy of guessing.
    NothingLearnt {
        /// The epoch, from 1.
        epoch: u64,
        /// Its mean training loss, without the penalty.
        loss: f64,
        /// Of how many classes.
        classes: usize,
        /// Its last step's learning rate.
        learning_rate: f64,
    },
    /// The penalty is most of what is minimised.
    PenaltyDominates {
        /// Mean of many steps.
        penalty: f64,
        /// Mean loss of these steps, the penalty included.
        loss: f64,
    },
    /// A gradient a hundred times as large as usual.
    GradientExplodes {
        /// The step, from 1.
        step: u64,
        /// The gradient's norm.
        norm: f64,
        /// The geometric mean of the norms before it.
        usual: f64,
    },
    /// Half of the epochs are done, and the schedule has changed nothing.
    ScheduleStandsStill {
        /// Epochs done.
        epochs: u64,
        /// The learning rate of all of them.
        learning_rate: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConstantPrediction { class, classes, loss, learning_rate } => write!(
                f,
                "of the last {WINDOW} steps' images, more than 99 % were taken for class {class}; their loss is {loss:.3}, that of guessing \
                 ln {classes} = {:.3}. The network has most likely died of too high a learning rate ({learning_rate:.2e} now): lower \
                 its peak, or warm up for longer.",
                guessing(*classes)
            ),
            Self::NothingLearnt { epoch, loss, classes, learning_rate } => write!(
                f,
                "epoch {epoch} ended with a training loss of {loss:.3}, which is that of guessing (ln {classes}). The learning rate \
                 ({learning_rate:.2e} now) is most likely far too high, or far too low."
            ),
            Self::PenaltyDominates { penalty, loss } => write!(
                f,
                "the L1 penalty is {penalty:.2} of a loss of {loss:.2}: most of what is minimised is the size of the weights. Lower \
                 gradients.l1."
            ),
            Self::GradientExplodes { step, norm, usual } => write!(
                f,
                "the gradient of step {step} has the norm {norm:.2e}, where {usual:.2e} is usual. The learning rate is most likely too \
                 high; gradients.clip would bound such steps."
            ),
            Self::ScheduleStandsStill { epochs, learning_rate } => write!(
                f,
                "after {epochs} epochs, half of all, the learning rate still is {learning_rate:.3e}: the schedule has changed nothing. A \
                 plateau's patience may be longer than any pause of the run, or a schedule's ticks the wrong ones (per)."
            ),
        }
    }
}

fn guessing(classes: usize) -> f64 {
    (classes as f64).ln()
}

/// What is known of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// From 1.
    pub step: u64,
    /// Without the penalty.
    pub loss: f64,
    pub penalty: f64,
    pub gradient_norm: Option<f64>,
    pub learning_rate: f64,
    /// The class of each image.
    pub predicted: &'a [usize],
}

/// Looks at a run from its start, or from where it goes on. Each kind of warning is given once.
#[derive(Debug)]
pub(crate) struct Watch {
    classes: usize,
    told: Vec<Discriminant<Warning>>,
    steps: usize,
    window: Window,
    /// Sum of the logarithms of the gradients' norms, and how many.
    norms: (f64, usize),
}

#[derive(Debug, Default)]
struct Window {
    steps: usize,
    loss: f64,
    penalty: f64,
    /// Images taken for each class.
    predicted: Vec<u64>,
}

impl Watch {
    pub(crate) fn new(classes: usize) -> Self {
        Self { classes, told: Vec::new(), steps: 0, window: Window::default(), norms: (0.0, 0) }
    }

    /// After a step.
    pub(crate) fn step(&mut self, seen: Seen) -> Vec<Warning> {
        let mut warnings = Vec::new();
        self.steps += 1;
        if let Some(norm) = seen.gradient_norm.filter(|norm| *norm > 0.0) {
            let (sum, count) = self.norms;
            let usual = (sum / count.max(1) as f64).exp();
            if count >= WINDOW && norm > 100.0 * usual {
                warnings.push(Warning::GradientExplodes { step: seen.step, norm, usual });
            } else {
                self.norms = (sum + norm.ln(), count + 1);
            }
        }
        // A network that has just begun may well take all images for one class.
        if self.steps > WINDOW {
            let window = &mut self.window;
            window.steps += 1;
            window.loss += seen.loss;
            window.penalty += seen.penalty;
            window.predicted.resize(self.classes, 0);
            for class in seen.predicted {
                if let Some(count) = window.predicted.get_mut(*class) {
                    *count += 1;
                }
            }
            if window.steps == WINDOW {
                warnings.extend(std::mem::take(window).judged(self.classes, seen.learning_rate));
            }
        }
        self.once(warnings)
    }

    /// After an epoch with this mean training loss, without the penalty, and this training accuracy.
    pub(crate) fn epoch(&mut self, epoch: u64, loss: f64, accuracy: f64, learning_rate: f64) -> Vec<Warning> {
        let (classes, chance) = (self.classes, guessing(self.classes));
        let guesses = (loss / chance - 1.0).abs() < 0.01 && accuracy < 1.5 / classes as f64;
        let warning = Warning::NothingLearnt { epoch, loss, classes, learning_rate };
        self.once(if guesses { vec![warning] } else { Vec::new() })
    }

    /// After that many epochs with these learning rates, at their ends, of so many epochs.
    pub(crate) fn schedule(&mut self, learning_rates: &[f64], of: usize) -> Vec<Warning> {
        let half = of >= 4 && learning_rates.len() * 2 >= of;
        let still = learning_rates.windows(2).all(|pair| pair[0] == pair[1]);
        let warning = learning_rates.last().filter(|_| half && still).map(|&learning_rate| {
            Warning::ScheduleStandsStill { epochs: learning_rates.len() as u64, learning_rate }
        });
        self.once(warning.into_iter().collect())
    }

    fn once(&mut self, mut warnings: Vec<Warning>) -> Vec<Warning> {
        warnings.retain(|warning| !self.told.contains(&discriminant(warning)));
        self.told.extend(warnings.iter().map(discriminant));
        warnings
    }
}

impl Window {
    fn judged(self, classes: usize, learning_rate: f64) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let steps = self.steps as f64;
        let (loss, penalty) = (self.loss / steps, self.penalty / steps);
        let images: u64 = self.predicted.iter().sum();
        let most = self.predicted.iter().enumerate().max_by_key(|(_, count)| **count);
        if let Some((class, count)) = most
            && *count as f64 > 0.99 * images as f64
            && classes > 1
        {
            warnings.push(Warning::ConstantPrediction { class, classes, loss, learning_rate });
        }
        if penalty > 0.5 * (loss + penalty) {
            warnings.push(Warning::PenaltyDominates { penalty, loss: loss + penalty });
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of a run over ten classes, all alike.
    fn steps(watch: &mut Watch, n: usize, seen: Seen) -> Vec<Warning> {
        (0..n).flat_map(|_| watch.step(seen)).collect()
    }

    fn sound() -> Seen<'static> {
        let predicted = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        Seen { step: 1, loss: 1.5, penalty: 0.0, gradient_norm: None, learning_rate: 0.1, predicted }
    }

    #[test]
    fn a_sound_run_is_left_alone() {
        let mut watch = Watch::new(10);
        let norms = [0.5, 3.0, 20.0];
        for i in 0..1000 {
            assert_eq!(watch.step(Seen { gradient_norm: Some(norms[i % 3]), penalty: 0.4, ..sound() }), []);
        }
        assert_eq!(watch.epoch(1, 2.3, 0.3, 0.1), []); // a slow beginning, better than guessing
        assert_eq!(watch.schedule(&[0.1, 0.1, 0.05], 4), []);
        assert_eq!(watch.schedule(&[0.1], 4), []); // too early to tell
        assert_eq!(watch.schedule(&[0.1], 2), []); // too short a run
    }

    #[test]
    fn a_dead_network_is_told_once_and_not_in_its_first_steps() {
        let dead = Seen { loss: 10f64.ln(), predicted: &[3; 8], ..sound() };
        let mut watch = Watch::new(10);
        assert_eq!(steps(&mut watch, WINDOW, dead), []);
        let warnings = steps(&mut watch, 10 * WINDOW, dead);
        let [warning @ Warning::ConstantPrediction { class: 3, .. }] = &warnings[..] else {
            panic!("{warnings:?}")
        };
        let text = warning.to_string();
        assert!(
            text.contains("class 3") && text.contains("ln 10 = 2.303") && text.contains("learning rate"),
            "{text}"
        );

        // 98 of 100 are not all.
        let mut watch = Watch::new(10);
        let mut predicted = [3; 100];
        (predicted[0], predicted[1]) = (1, 2);
        assert_eq!(steps(&mut watch, 5 * WINDOW, Seen { predicted: &predicted, ..dead }), []);
    }

    #[test]
    fn a_penalty_that_is_most_of_the_loss_is_told() {
        let mut watch = Watch::new(10);
        let warnings = steps(&mut watch, 5 * WINDOW, Seen { penalty: 12.0, loss: 1.94, ..sound() });
        let [Warning::PenaltyDominates { penalty, loss }] = warnings[..] else { panic!("{warnings:?}") };
        assert!((penalty - 12.0).abs() < 1e-9 && (loss - 13.94).abs() < 1e-9);
        assert!(warnings[0].to_string().contains("12.00 of a loss of 13.94"), "{}", warnings[0]);
    }

    #[test]
    fn a_gradient_that_explodes_is_told_and_not_taken_for_usual() {
        let mut watch = Watch::new(10);
        assert_eq!(steps(&mut watch, WINDOW, Seen { gradient_norm: Some(2.0), ..sound() }), []);
        assert_eq!(watch.step(Seen { gradient_norm: Some(150.0), ..sound() }), []);
        let warnings = watch.step(Seen { step: 102, gradient_norm: Some(300.0), ..sound() });
        let [Warning::GradientExplodes { step: 102, norm: 300.0, usual }] = warnings[..] else {
            panic!("{warnings:?}")
        };
        assert!((2.0..2.2).contains(&usual), "{usual}");
    }

    #[test]
    fn guessing_for_an_epoch_is_told() {
        let mut watch = Watch::new(10);
        let warnings = watch.epoch(1, 2.3031, 0.101, 1.0);
        assert!(
            matches!(warnings[..], [Warning::NothingLearnt { epoch: 1, classes: 10, .. }]),
            "{warnings:?}"
        );
        assert_eq!(watch.epoch(2, 2.3031, 0.101, 1.0), []); // once
    }

    #[test]
    fn a_schedule_that_stands_still_is_told_at_half() {
        let mut watch = Watch::new(10);
        assert_eq!(watch.schedule(&[0.1; 19], 40), []);
        let warnings = watch.schedule(&[0.1; 20], 40);
        assert_eq!(warnings, [Warning::ScheduleStandsStill { epochs: 20, learning_rate: 0.1 }]);
    }
}
