use super::RangeTestOptions;
use serde::{Deserialize, Serialize};

/// One step of a range test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The step, the first being 0.
    pub step: usize,
    /// The learning rate with which the step was taken.
    pub learning_rate: f64,
    /// The training loss before the step was taken, or the test loss after it.
    pub loss: f64,
    /// The loss, exponentially smoothed.
    pub smoothed: f64,
}

/// How a range test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// After its last step.
    Completed,
    /// The smoothed loss left its best too far behind; the reading that shows it is the last.
    Diverged,
    /// The loss was infinite or not a number; that reading is not kept.
    NotFinite,
}

/// Whether a range test goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Take the next step.
    Continue,
    /// Take none.
    Stop(Ending),
}

/// Collects the losses of a range test, smooths them and says when to stop, as torch-lr-finder does.
#[derive(Debug, Clone)]
pub struct Recorder {
    options: RangeTestOptions,
    readings: Vec<Reading>,
    best: f64,
}

impl Recorder {
    /// A recorder that has seen nothing.
    pub fn new(options: &RangeTestOptions) -> Self {
        Self { options: *options, readings: Vec::with_capacity(options.steps), best: f64::INFINITY }
    }

    /// Takes the loss of the next step:
    /// `smoothed ← smoothing·loss + (1 − smoothing)·smoothed`, the first as it is.
    pub fn record(&mut self, learning_rate: f64, loss: f64) -> Next {
        if !loss.is_finite() {
            return Next::Stop(Ending::NotFinite);
        }
        let weight = self.options.smoothing;
        let smoothed = match self.readings.last() {
            Some(last) if weight > 0.0 => weight * loss + (1.0 - weight) * last.smoothed,
            _ => loss,
        };
        self.readings.push(Reading { step: self.readings.len(), learning_rate, loss, smoothed });
        self.best = self.best.min(smoothed);
        if smoothed > self.options.diverge_threshold * self.best {
            Next::Stop(Ending::Diverged)
        } else if self.readings.len() == self.options.steps {
            Next::Stop(Ending::Completed)
        } else {
            Next::Continue
        }
    }

    /// What was recorded so far.
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// What was recorded.
    pub fn into_readings(self) -> Vec<Reading> {
        self.readings
    }
}
