//! Whether a network is right as often as it says.

use crate::MetricsError;
use crate::accuracy::largest;
use crate::error::{check_classes, check_enough, check_length, check_scores};

/// Samples whose confidence (the predicted class's probability) is in `(lower, upper]`; the first bin has 0 too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Its lower end, exclusive.
    pub lower: f64,
    /// Its upper end, inclusive.
    pub upper: f64,
    /// Samples in it.
    pub count: usize,
    /// Their mean confidence; `None` if there are none.
    pub confidence: Option<f64>,
    /// The share of them that were right; `None` if there are none.
    pub accuracy: Option<f64>,
}

/// A reliability diagram's bins and what they sum up to, after Guo, Pleiss, Sun and Weinberger, *On Calibration of Modern Neural
/// Networks*, 2017, section 2.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Equally wide bins of confidence, from 0 to 1.
    pub bins: Vec<Bin>,
    /// Σ (samples in the bin / all samples) · |accuracy − confidence| (their equation 3).
    pub expected_error: f64,
    /// The largest |accuracy − confidence| of any bin that has samples (their equation 5).
    pub maximum_error: f64,
}

/// How far a row of probabilities may be from summing to 1: that of numbers printed with four decimals, and of bf16 softmax.
const SUM_TOLERANCE: f64 = 1e-2;

impl Calibration {
    /// From the true class of each sample, `(n)`, and its `probabilities`, `(n, classes)`, in `bins` bins (Guo et al. take 15).
    /// The predicted class is that of [`argmax`](crate::argmax).
    ///
    /// # Errors
    /// Lengths that do not agree, no samples, no bins, a class out of range, a row that is no probabilities (a value outside of 0
    /// to 1, or a sum that is not 1 within 0.01): logits given by mistake, say.
    pub fn new(
        truth: &[usize],
        probabilities: &[f32],
        classes: usize,
        bins: usize,
    ) -> Result<Self, MetricsError> {
        check_enough("calibration", 1, truth.len())?;
        check_probabilities(truth, probabilities, classes)?;
        if bins == 0 {
            return Err(MetricsError::Option {
                what: "the number of bins",
                expected: "at least 1",
                got: 0.0,
            });
        }

        let mut sums = vec![(0_usize, 0.0_f64, 0_usize); bins]; // samples, their confidence, and how many were right
        for (&class, row) in truth.iter().zip(probabilities.chunks_exact(classes)) {
            let predicted = largest(row);
            let confidence = f64::from(row[predicted]);
            let sum = &mut sums[bin(confidence, bins)];
            *sum = (sum.0 + 1, sum.1 + confidence, sum.2 + usize::from(predicted == class));
        }
        let edge = |k: usize| k as f64 / bins as f64;
        let bins = sums.iter().enumerate().map(|(k, &(count, confidence, right))| {
            let of_all = |sum: f64| (count > 0).then(|| sum / count as f64);
            let (confidence, accuracy) = (of_all(confidence), of_all(right as f64));
            Bin { lower: edge(k), upper: edge(k + 1), count, confidence, accuracy }
        });
        let bins: Vec<Bin> = bins.collect();
        let gaps = bins.iter().filter_map(|bin| Some((bin.count, (bin.accuracy? - bin.confidence?).abs())));
        let expected_error =
            gaps.clone().map(|(count, gap)| count as f64 * gap).sum::<f64>() / truth.len() as f64;
        let maximum_error = gaps.map(|(_, gap)| gap).fold(0.0, f64::max);
        Ok(Self { bins, expected_error, maximum_error })
    }
}

/// The bin `k` with `k / bins < confidence <= (k + 1) / bins`.
fn bin(confidence: f64, bins: usize) -> usize {
    let last_below = (confidence * bins as f64).ceil() as usize; // `as` takes what is below 0 for 0
    last_below.saturating_sub(1).min(bins - 1)
}

/// Probabilities `(n, classes)` and the true class of each row, `(n)`.
pub(crate) fn check_probabilities(
    truth: &[usize],
    probabilities: &[f32],
    classes: usize,
) -> Result<(), MetricsError> {
    check_scores(probabilities, classes)?;
    check_length("rows of probabilities", truth.len(), probabilities.len() / classes)?;
    check_classes("true class of sample", classes, truth)?;
    // A softmax may come out an ulp above 1.
    let outside = |p: &f32| !(0.0..=1.0 + 1e-5).contains(p);
    if let Some(index) = probabilities.iter().position(outside) {
        let got = f64::from(probabilities[index]);
        return Err(MetricsError::Value { what: "probability", index, expected: "0 to 1", got });
    }
    for (index, row) in probabilities.chunks_exact(classes).enumerate() {
        let got: f64 = row.iter().map(|p| f64::from(*p)).sum();
        if (got - 1.0).abs() > SUM_TOLERANCE {
            return Err(MetricsError::Value {
                what: "the sum of the probabilities of sample",
                index,
                expected: "1",
                got,
            });
        }
    }
    Ok(())
}
