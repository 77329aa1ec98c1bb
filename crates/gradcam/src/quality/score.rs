use candle_core::Tensor;

use super::Samples;
use crate::CamError;
use crate::check::{dims, rows};

/// What is watched of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Score {
    /// Its probability, by softmax over the logits.
    #[default]
    Probability,
    /// Its logit.
    Logit,
}

impl Score {
    fn of(self, logits: &[f64], class: usize) -> f64 {
        match self {
            Self::Logit => logits[class],
            Self::Probability => {
                let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = logits.iter().map(|l| (l - max).exp()).sum();
                (logits[class] - max).exp() / sum
            }
        }
    }
}

/// Shows a model changed images, `batch_size` at a time, and returns the score of each one's class.
pub(super) struct Viewer<'a, M> {
    samples: &'a Samples<'a>,
    model: M,
    score: Score,
    batch_size: usize,
    waiting: Vec<f32>,
    /// Which sample each of those waiting is of.
    shown: Vec<usize>,
    scores: Vec<f64>,
}

impl<'a, M: FnMut(&Tensor) -> candle_core::Result<Tensor>> Viewer<'a, M> {
    pub fn new(
        samples: &'a Samples<'a>,
        model: M,
        score: Score,
        batch_size: usize,
    ) -> Result<Self, CamError> {
        if batch_size == 0 {
            return Err(CamError::BatchSize);
        }
        let (waiting, shown, scores) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { samples, model, score, batch_size, waiting, shown, scores })
    }

    /// Sample `i`, changed to `pixels`.
    pub fn show(&mut self, i: usize, pixels: &[f32]) -> Result<(), CamError> {
        self.waiting.extend_from_slice(pixels);
        self.shown.push(i);
        if self.shown.len() == self.batch_size { self.look() } else { Ok(()) }
    }

    /// The scores of all that was shown, in that order.
    pub fn scores(mut self) -> Result<Vec<f64>, CamError> {
        if !self.shown.is_empty() {
            self.look()?;
        }
        Ok(self.scores)
    }

    fn look(&mut self) -> Result<(), CamError> {
        let (n, size) = (self.shown.len(), self.samples.size);
        let shape = (n, size.height, size.width, size.channels);
        let images = Tensor::from_vec(std::mem::take(&mut self.waiting), shape, &self.samples.device)?;
        let logits = (self.model)(&images)?;
        let [rows_of_logits, classes] = dims("logits", "(N, K)", &logits)?;
        if rows_of_logits != n {
            return Err(CamError::Shape {
                what: "logits",
                expected: format!("({n}, K), a row an image"),
                got: logits.shape().clone(),
            });
        }
        for (row, image) in rows(&logits)?.iter().zip(self.shown.drain(..)) {
            if let Some(&value) = row.iter().find(|v| !v.is_finite()) {
                return Err(CamError::NotFinite { what: "logits", layer: None, image, value });
            }
            let class = self.samples.classes[image];
            if class as usize >= classes {
                return Err(CamError::Class { class, image, classes });
            }
            self.scores.push(self.score.of(row, class as usize));
        }
        Ok(())
    }
}
