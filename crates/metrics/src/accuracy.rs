//! How many were right.

use crate::MetricsError;
use crate::error::{check_classes, check_enough, check_length, check_scores};

/// The share of samples whose predicted class is the true one. Both slices `(n)`.
///
/// # Errors
/// Slices of different length, or empty ones.
pub fn accuracy(truth: &[usize], predicted: &[usize]) -> Result<f64, MetricsError> {
    check_enough("accuracy", 1, truth.len())?;
    check_length("predicted classes", truth.len(), predicted.len())?;
    let right = truth.iter().zip(predicted).filter(|(t, p)| t == p).count();
    Ok(right as f64 / truth.len() as f64)
}

/// The share of samples whose true class is among the `k` with the highest scores. `truth` `(n)`, `scores` `(n, classes)`, of
/// any scale. Of equal scores the lower class comes first, as in [`argmax`], so that `k = 1` is the accuracy of its classes.
///
/// # Errors
/// Lengths that do not agree, no samples, a class out of range, a score that is no number, `k` of 0 or above `classes`.
pub fn top_k_accuracy(
    truth: &[usize],
    scores: &[f32],
    classes: usize,
    k: usize,
) -> Result<f64, MetricsError> {
    check_enough("top-k accuracy", 1, truth.len())?;
    check_scores(scores, classes)?;
    check_length("rows of scores", truth.len(), scores.len() / classes)?;
    check_classes("true class of sample", classes, truth)?;
    if k == 0 || k > classes {
        return Err(MetricsError::Option {
            what: "k",
            expected: "1 to the number of classes",
            got: k as f64,
        });
    }
    let right = truth.iter().zip(scores.chunks_exact(classes)).filter(|(class, row)| rank(row, **class) < k);
    Ok(right.count() as f64 / truth.len() as f64)
}

/// The class with the highest score in each row of `scores`, `(n, classes)`; of equal ones the lowest.
///
/// # Errors
/// No whole number of rows, or a score that is no number.
pub fn argmax(scores: &[f32], classes: usize) -> Result<Vec<usize>, MetricsError> {
    check_scores(scores, classes)?;
    Ok(scores.chunks_exact(classes).map(largest).collect())
}

/// How many classes come before this one.
fn rank(row: &[f32], class: usize) -> usize {
    let own = row[class];
    row.iter().enumerate().filter(|&(other, &score)| score > own || (score == own && other < class)).count()
}

pub(crate) fn largest(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
}
