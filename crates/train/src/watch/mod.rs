//! Telling a run that goes wrong, while it runs, and the likely cause.

mod cause;
mod memory;
#[cfg(test)]
mod replay_tests;
#[cfg(test)]
mod tests;
mod warning;

pub use cause::{Cause, Leap, Pace};
pub use memory::Memory;
pub use warning::{Span, Warning};

use memory::Window;
use warning::{Kind, guessing};

/// Steps that are looked at together.
const WINDOW: usize = 100;

/// Steps whose mean loss tells a leap: one bad batch is none.
const LEAP: usize = 3;

/// Of fewer images a step, all are of one class too often, and a mean loss says little.
const FEW: usize = 8;

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
    /// Images that were classified rightly.
    pub correct: usize,
}

/// What is known of an epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeenEpoch {
    /// From 1.
    pub epoch: u64,
    /// Mean train loss, without the penalty.
    pub loss: f64,
    pub penalty: f64,
    /// Train accuracy.
    pub accuracy: f64,
    /// The last step's.
    pub learning_rate: f64,
}

/// Looks at a run from its start, or from where it goes on. Each kind of warning is given once.
#[derive(Debug)]
pub(crate) struct Watch {
    classes: usize,
    pace: Pace,
    memory: Memory,
}

impl Watch {
    /// Of a run over so many classes, with what is remembered of its steps so far.
    pub(crate) fn new(classes: usize, pace: Pace, memory: Memory) -> Self {
        Self { classes, pace, memory }
    }

    /// What has to be remembered.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// After a step.
    pub(crate) fn step(&mut self, seen: Seen) -> Vec<Warning> {
        self.memory.highest_rate = self.memory.highest_rate.max(seen.learning_rate);
        let mut warnings: Vec<Warning> = self.gradient(&seen).into_iter().chain(self.leap(&seen)).collect();
        // A network that has just begun may well take all images for one class.
        if seen.step > WINDOW as u64 {
            let mut counts = vec![0; self.classes];
            for class in seen.predicted {
                counts[*class] += 1;
            }
            let window = &mut self.memory.window;
            window.steps += 1;
            window.loss += seen.loss;
            window.penalty += seen.penalty;
            window.images += seen.predicted.len();
            window.correct += seen.correct;
            window.commonest += counts.into_iter().max().unwrap_or(0);
            if window.steps == WINDOW {
                let window = std::mem::take(window);
                warnings.extend(self.judged(window, &seen));
            }
        }
        self.once(warnings)
    }

    fn gradient(&mut self, seen: &Seen) -> Option<Warning> {
        let Seen { step, learning_rate, .. } = *seen;
        let (norm, pace) = (seen.gradient_norm?, self.pace);
        if !norm.is_finite() {
            return Some(Warning::GradientNotFinite { step, norm, learning_rate, pace });
        }
        let usual = self.memory.norms.usual_before(step, norm)?;
        Some(Warning::GradientExplodes { step, norm, usual, learning_rate, pace })
    }

    /// A mean loss over three steps, at any time of the run, of more than twice that of guessing, and than 1.5 times the first step's, which
    /// is high where a network's first logits are large.
    ///
    /// Of the runs in `xtask/results`, those that then learnt nothing reached 4.9 to 8.4 within five steps, where guessing has 2.30; a sound one
    /// with layer norms, clipped, at most 3.0, and those with batch norms 2.4.
    fn leap(&mut self, seen: &Seen) -> Option<Warning> {
        let memory = &mut self.memory;
        let first = *memory.first_loss.get_or_insert(seen.loss);
        if seen.predicted.len() < FEW || memory.leap.is_some() {
            return None;
        }
        if memory.recent.len() == LEAP {
            memory.recent.remove(0);
        }
        memory.recent.push(seen.loss);
        let loss = memory.recent.iter().sum::<f64>() / LEAP as f64;
        if memory.recent.len() < LEAP || loss <= (2.0 * guessing(self.classes)).max(1.5 * first) {
            return None;
        }
        let first = seen.step.saturating_sub(LEAP as u64 - 1).max(1);
        let leap = Leap { first, last: seen.step, loss, learning_rate: seen.learning_rate };
        memory.leap = Some(leap);
        memory.recent.clear();
        Some(Warning::LossLeaps { leap, classes: self.classes, pace: self.pace })
    }

    /// At most one: a penalty may be why all images are taken for one class, and that is why nothing is learnt.
    ///
    /// While the learning rate has yet to rise, it is no wonder that nothing is learnt; the epoch's end will tell.
    fn judged(&mut self, window: Window, seen: &Seen) -> Option<Warning> {
        let (steps, classes) = (window.steps as f64, self.classes);
        let (loss, penalty) = (window.loss / steps, window.penalty / steps);
        if loss < 0.9 * guessing(classes) {
            self.memory.leap = None; // it has recovered, and will not have died of that
        }
        if let Some(warning) = self.penalised(loss, penalty) {
            return Some(warning);
        }
        let cause = self.cause(seen.learning_rate);
        if window.images < FEW * window.steps || matches!(cause, Cause::StillLow { .. }) {
            return None;
        }
        let span = Span::Steps(seen.step + 1 - window.steps as u64, seen.step);
        if window.commonest as f64 > 0.99 * window.images as f64 && loss > 0.97 * guessing(classes) {
            return Some(Warning::ConstantPrediction { span, classes, loss, cause });
        }
        self.guesses(loss, window.correct as f64 / window.images as f64).then_some(Warning::NothingLearnt {
            span,
            loss,
            classes,
            cause,
        })
    }

    fn penalised(&self, loss: f64, penalty: f64) -> Option<Warning> {
        (penalty > loss.max(guessing(self.classes)))
            .then_some(Warning::PenaltyDominates { penalty, loss: loss + penalty })
    }

    /// Whether that is guessing, and was not told when all images were taken for one class, which says as much.
    fn guesses(&self, loss: f64, accuracy: f64) -> bool {
        let guesses = loss > 0.99 * guessing(self.classes) && accuracy < 1.5 / self.classes as f64;
        guesses && !self.memory.told.contains(&Kind::ConstantPrediction)
    }

    fn cause(&self, learning_rate: f64) -> Cause {
        Cause::of(self.memory.leap, self.pace, learning_rate, self.memory.highest_rate)
    }

    /// After an epoch.
    pub(crate) fn epoch(&mut self, seen: SeenEpoch) -> Vec<Warning> {
        let SeenEpoch { epoch, loss, penalty, accuracy, learning_rate } = seen;
        let (span, classes, cause) = (Span::Epoch(epoch), self.classes, self.cause(learning_rate));
        let nothing_learnt = Warning::NothingLearnt { span, loss, classes, cause };
        let warning =
            self.penalised(loss, penalty).or(self.guesses(loss, accuracy).then_some(nothing_learnt));
        self.once(warning.into_iter().collect())
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
        let told = &mut self.memory.told;
        warnings.retain(|warning| !told.contains(&warning.kind()));
        told.extend(warnings.iter().map(Warning::kind));
        warnings
    }
}
