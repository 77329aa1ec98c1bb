//! Telling a run that goes wrong, while it runs, and the likely cause.

use std::fmt;
use std::mem::{Discriminant, discriminant};

/// Steps that are looked at together.
const WINDOW: usize = 100;

/// What a run should not look like.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// In each of many steps nearly all images were taken for one class, at a loss no better than guessing's.
    ConstantPrediction {
        /// Of how many classes.
        classes: usize,
        /// Mean loss of these steps, without the penalty.
        loss: f64,
        /// The last step's learning rate.
        learning_rate: f64,
    },
    /// An epoch has ended at the loss and accuracy of guessing, or worse.
    NothingLearnt {
        /// The epoch, from 1.
        epoch: u64,
        /// Its mean train loss, without the penalty.
        loss: f64,
        /// Of how many classes.
        classes: usize,
        /// Its last step's learning rate.
        learning_rate: f64,
    },
    /// The penalty is most of what is minimised, and more than there is to learn.
    PenaltyDominates {
        /// Mean of many steps.
        penalty: f64,
        /// Mean loss of these steps, the penalty included.
        loss: f64,
    },
    /// A gradient a hundred times as large as those before it. Known only where the optimiser computes norms: with a penalty, or
    /// clipping by norm.
    GradientExplodes {
        /// The step, from 1.
        step: u64,
        /// The gradient's norm.
        norm: f64,
        /// The geometric mean of the norms before it, the last hundred counting most.
        usual: f64,
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

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConstantPrediction { classes, loss, learning_rate } => write!(
                f,
                "in each of the last {WINDOW} steps, nearly all images were taken for one and the same class, at a loss of {loss:.3}, where \
                 guessing has ln {classes} = {:.3}. Most likely the learning rate ({learning_rate:.2e} now) is or was far too high, and the \
                 network has died: lower its peak, or warm up for longer. If it is tiny, it is far too low.",
                guessing(*classes)
            ),
            Self::NothingLearnt { epoch, loss, classes, learning_rate } => write!(
                f,
                "epoch {epoch} ended with a train loss of {loss:.3}, which is that of guessing (ln {classes} = {:.3}) or worse. The learning \
                 rate ({learning_rate:.2e} now) is most likely far too high, or far too low.",
                guessing(*classes)
            ),
            Self::PenaltyDominates { penalty, loss } => write!(
                f,
                "the L1 penalty is {penalty:.2} of a loss of {loss:.2}: most of what is minimised is the size of the weights. Lower \
                 gradients.l1."
            ),
            Self::GradientExplodes { step, norm, usual } => write!(
                f,
                "the gradient of step {step} has the norm {norm:.2e}, where {usual:.2e} is usual. The learning rate is most likely too high."
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
    window: Window,
    /// Moving mean of the logarithms of the gradients' norms, and how many there were.
    norms: (f64, usize),
}

#[derive(Debug, Default)]
struct Window {
    steps: usize,
    loss: f64,
    penalty: f64,
    images: usize,
    /// Of each step, the images that were taken for its commonest class.
    commonest: usize,
}

impl Watch {
    pub(crate) fn new(classes: usize) -> Self {
        Self { classes, told: Vec::new(), window: Window::default(), norms: (0.0, 0) }
    }

    /// After a step.
    pub(crate) fn step(&mut self, seen: Seen) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if let Some(norm) = seen.gradient_norm.filter(|norm| *norm > 0.0) {
            let (mean, count) = &mut self.norms;
            if *count >= WINDOW && norm > 100.0 * mean.exp() {
                warnings.push(Warning::GradientExplodes { step: seen.step, norm, usual: mean.exp() });
            } else {
                *count += 1;
                *mean += (norm.ln() - *mean) / (*count).min(WINDOW) as f64;
            }
        }
        // A network that has just begun may well take all images for one class.
        if seen.step > WINDOW as u64 {
            let mut counts = vec![0; self.classes];
            for class in seen.predicted {
                counts[*class] += 1;
            }
            let window = &mut self.window;
            window.steps += 1;
            window.loss += seen.loss;
            window.penalty += seen.penalty;
            window.images += seen.predicted.len();
            window.commonest += counts.into_iter().max().unwrap_or(0);
            if window.steps == WINDOW {
                warnings.extend(std::mem::take(window).judged(self.classes, seen.learning_rate));
            }
        }
        self.once(warnings)
    }

    /// After an epoch with this mean train loss, without the penalty, and this train accuracy.
    pub(crate) fn epoch(&mut self, epoch: u64, loss: f64, accuracy: f64, learning_rate: f64) -> Vec<Warning> {
        let classes = self.classes;
        let guesses = loss > 0.99 * guessing(classes) && accuracy < 1.5 / classes as f64;
        let warning = Warning::NothingLearnt { epoch, loss, classes, learning_rate };
        self.once(if guesses { vec![warning] } else { Vec::new() })
    }

    /// Of a schedule with these learning rates, those of a whole run.
    pub(crate) fn schedule(&mut self, learning_rates: impl Iterator<Item = f64> + Clone) -> Vec<Warning> {
        let (least, most) = learning_rates
            .clone()
            .fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), rate| (least.min(rate), most.max(rate)));
        let still = most <= 1.05 * least;
        let warning = learning_rates.take(1).filter(|_| still);
        let warnings = warning.map(|learning_rate| Warning::ScheduleStandsStill { learning_rate }).collect();
        self.once(warnings)
    }

    /// Of a plateau with these learning rates so far, the next epoch's included, in a run of so many epochs.
    pub(crate) fn plateau(&mut self, learning_rates: &[f64], of: usize) -> Vec<Warning> {
        let epochs = learning_rates.len().saturating_sub(1);
        let half = of >= 4 && epochs * 2 >= of;
        let still = learning_rates.windows(2).all(|pair| pair[0] == pair[1]);
        let last = learning_rates.last().filter(|_| half && still);
        let warnings = last.map(|&learning_rate| Warning::PlateauNeverReduced { epochs, learning_rate });
        self.once(warnings.into_iter().collect())
    }

    fn once(&mut self, mut warnings: Vec<Warning>) -> Vec<Warning> {
        warnings.retain(|warning| !self.told.contains(&discriminant(warning)));
        self.told.extend(warnings.iter().map(discriminant));
        warnings
    }
}

impl Window {
    /// At most one: a penalty may be why all images are taken for one class.
    fn judged(self, classes: usize, learning_rate: f64) -> Option<Warning> {
        /// Fewer images a step than this are all of one class too often.
        const FEW: usize = 8;
        let steps = self.steps as f64;
        let (loss, penalty) = (self.loss / steps, self.penalty / steps);
        if penalty > loss.max(guessing(classes)) {
            return Some(Warning::PenaltyDominates { penalty, loss: loss + penalty });
        }
        let constant = self.commonest as f64 > 0.99 * self.images as f64;
        let guesses = loss > 0.97 * guessing(classes);
        let many = self.images >= FEW * self.steps;
        (constant && guesses && many).then_some(Warning::ConstantPrediction { classes, loss, learning_rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many steps of a run over ten classes, all alike, from number `first` on.
    fn steps(watch: &mut Watch, first: usize, n: usize, seen: Seen) -> Vec<Warning> {
        (first..first + n).flat_map(|step| watch.step(Seen { step: step as u64, ..seen })).collect()
    }

    fn sound() -> Seen<'static> {
        let predicted = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        Seen { step: 1, loss: 1.5, penalty: 0.0, gradient_norm: None, learning_rate: 0.1, predicted }
    }

    #[test]
    fn a_sound_run_is_left_alone() {
        let mut watch = Watch::new(10);
        let norms = [0.5, 3.0, 20.0];
        for step in 1..1000 {
            let gradient_norm = Some(norms[step as usize % 3]);
            assert_eq!(watch.step(Seen { step, gradient_norm, penalty: 0.4, ..sound() }), []);
        }
        // A loss that has become smaller than a modest penalty; classes of which a small batch has one.
        let learnt = Seen { loss: 0.1, penalty: 0.4, predicted: &[3; 8], ..sound() };
        assert_eq!(steps(&mut watch, 1000, 500, learnt), []);
        let few = Seen { loss: 2.4, predicted: &[3, 3], ..sound() };
        assert_eq!(steps(&mut watch, 1500, 500, few), []);
        assert_eq!(watch.epoch(1, 2.3, 0.3, 0.1), []); // a slow beginning, better than guessing
        assert_eq!(watch.schedule([0.1, 0.2, 0.1].into_iter()), []);
        assert_eq!(watch.plateau(&[0.1, 0.1, 0.05], 4), []);
        assert_eq!(watch.plateau(&[0.1, 0.1], 4), []); // too early to tell
        assert_eq!(watch.plateau(&[0.1, 0.1], 2), []); // too short a run
    }

    #[test]
    fn a_dead_network_is_told_once_and_not_in_its_first_steps() {
        let mut watch = Watch::new(10);
        let loss = 10f64.ln();
        assert_eq!(steps(&mut watch, 1, WINDOW, Seen { loss, predicted: &[3; 8], ..sound() }), []);
        // Which class it is changes from step to step.
        let dead =
            |step: usize| Seen { loss, predicted: if step % 7 < 3 { &[3; 8] } else { &[5; 8] }, ..sound() };
        let warnings: Vec<_> = (WINDOW + 1..10 * WINDOW)
            .flat_map(|step| watch.step(Seen { step: step as u64, ..dead(step) }))
            .collect();
        let [warning @ Warning::ConstantPrediction { classes: 10, .. }] = &warnings[..] else {
            panic!("{warnings:?}")
        };
        let text = warning.to_string();
        assert!(text.contains("one and the same class") && text.contains("ln 10 = 2.303"), "{text}");

        // 98 of 100 are not all.
        let mut watch = Watch::new(10);
        let mut predicted = [3; 100];
        (predicted[0], predicted[1]) = (1, 2);
        assert_eq!(steps(&mut watch, 1, 5 * WINDOW, Seen { loss, predicted: &predicted, ..sound() }), []);
    }

    #[test]
    fn a_penalty_that_is_most_of_the_loss_is_told_and_not_its_effect() {
        let mut watch = Watch::new(10);
        let seen = Seen { penalty: 12.0, loss: 2.31, predicted: &[0; 8], ..sound() };
        let warnings = steps(&mut watch, 1, 2 * WINDOW, seen);
        let [Warning::PenaltyDominates { penalty, loss }] = warnings[..] else { panic!("{warnings:?}") };
        assert!((penalty - 12.0).abs() < 1e-9 && (loss - 14.31).abs() < 1e-9);
        assert!(warnings[0].to_string().contains("12.00 of a loss of 14.31"), "{}", warnings[0]);
    }

    #[test]
    fn a_gradient_that_explodes_is_told_and_not_taken_for_usual() {
        let mut watch = Watch::new(10);
        // Large at first, which is long past.
        assert_eq!(steps(&mut watch, 1, WINDOW, Seen { gradient_norm: Some(200.0), ..sound() }), []);
        assert_eq!(steps(&mut watch, 101, 10 * WINDOW, Seen { gradient_norm: Some(2.0), ..sound() }), []);
        assert_eq!(watch.step(Seen { gradient_norm: Some(150.0), ..sound() }), []);
        let warnings = watch.step(Seen { step: 1102, gradient_norm: Some(300.0), ..sound() });
        let [Warning::GradientExplodes { step: 1102, norm: 300.0, usual }] = warnings[..] else {
            panic!("{warnings:?}")
        };
        assert!((2.0..2.2).contains(&usual), "{usual}");
    }

    #[test]
    fn guessing_for_an_epoch_or_worse_is_told() {
        for loss in [2.3031, 40.0] {
            let mut watch = Watch::new(10);
            let warnings = watch.epoch(1, loss, 0.101, 1.0);
            let told = matches!(warnings[..], [Warning::NothingLearnt { epoch: 1, classes: 10, .. }]);
            assert!(told, "{warnings:?}");
            assert_eq!(watch.epoch(2, loss, 0.101, 1.0), []); // once
        }
    }

    #[test]
    fn a_schedule_that_stands_still_is_told() {
        let mut watch = Watch::new(10);
        let crawling = (0..1000).map(|step| 0.004 + 1e-7 * f64::from(step));
        assert_eq!(watch.schedule(crawling), [Warning::ScheduleStandsStill { learning_rate: 0.004 }]);
        assert_eq!(watch.plateau(&[0.1; 20], 40), []);
        let warnings = watch.plateau(&[0.1; 21], 40);
        assert_eq!(warnings, [Warning::PlateauNeverReduced { epochs: 20, learning_rate: 0.1 }]);
    }
}
