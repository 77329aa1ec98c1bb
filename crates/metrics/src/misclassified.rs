//! What was wrong.

use crate::MetricsError;
use crate::accuracy::largest;
use crate::calibration::check_probabilities;

/// A sample that was taken for another class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mistake {
    /// Its place in the slices.
    pub index: usize,
    /// Its class.
    pub truth: usize,
    /// The class it was taken for.
    pub predicted: usize,
    /// The probability given to the predicted class.
    pub confidence: f32,
}

/// The order of a list of mistakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the samples come.
    #[default]
    Index,
    /// The surest first; equally sure ones as they come.
    MostConfident,
    /// The least sure first; equally sure ones as they come.
    LeastConfident,
}

/// Every sample whose predicted class ([`argmax`](crate::argmax)) is not its class. `truth` `(n)`, `probabilities` `(n, classes)`.
///
/// # Errors
/// Lengths that do not agree, a class out of range, or rows that are no probabilities (as for [`Calibration`](crate::Calibration)).
pub fn misclassified(
    truth: &[usize],
    probabilities: &[f32],
    classes: usize,
    order: Order,
) -> Result<Vec<Mistake>, MetricsError> {
    check_probabilities(truth, probabilities, classes)?;
    let rows = truth.iter().zip(probabilities.chunks_exact(classes)).enumerate();
    let mistakes = rows.map(|(index, (&truth, row))| {
        let predicted = largest(row);
        Mistake { index, truth, predicted, confidence: row[predicted] }
    });
    let mut mistakes: Vec<_> = mistakes.filter(|mistake| mistake.predicted != mistake.truth).collect();
    // Stable sorts: equally sure ones keep their order.
    match order {
        Order::Index => {}
        Order::MostConfident => mistakes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence)),
        Order::LeastConfident => mistakes.sort_by(|a, b| a.confidence.total_cmp(&b.confidence)),
    }
    Ok(mistakes)
}
