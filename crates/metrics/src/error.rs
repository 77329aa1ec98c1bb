//! What can be wrong with the slices.

/// Why a figure could not be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// Two slices that go together differ in length.
    #[error("got {got} {what}, expected {expected}")]
    Lengths {
        /// What there is too much or too little of.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// Too few values for the figure to be defined.
    #[error("{what} needs at least {expected} values, got {got}")]
    TooFew {
        /// The figure.
        what: &'static str,
        /// The least number of values.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A class beyond the last.
    #[error("{what} {index} is class {got}, expected 0 to {}", classes.saturating_sub(1))]
    Class {
        /// "true class" or "predicted class".
        what: &'static str,
        /// Which sample.
        index: usize,
        /// Number of classes: it had to be less.
        classes: usize,
        /// The class.
        got: usize,
    },
    /// A value that cannot be used.
    #[error("{what} {index} is {got}, expected {expected}")]
    Value {
        /// What the value is, as "probability".
        what: &'static str,
        /// Where it is in its slice.
        index: usize,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        got: f64,
    },
    /// An option out of its range.
    #[error("{what} is {got}, expected {expected}")]
    Option {
        /// The option.
        what: &'static str,
        /// Its range.
        expected: &'static str,
        /// Its value.
        got: f64,
    },
}

/// That a slice goes with another of length `expected`.
pub(crate) fn check_length(what: &'static str, expected: usize, got: usize) -> Result<(), MetricsError> {
    if got == expected { Ok(()) } else { Err(MetricsError::Lengths { what, expected, got }) }
}

pub(crate) fn check_enough(what: &'static str, expected: usize, got: usize) -> Result<(), MetricsError> {
    if got >= expected { Ok(()) } else { Err(MetricsError::TooFew { what, expected, got }) }
}

pub(crate) fn check_classes(
    what: &'static str,
    classes: usize,
    labels: &[usize],
) -> Result<(), MetricsError> {
    match labels.iter().position(|label| *label >= classes) {
        Some(index) => Err(MetricsError::Class { what, index, classes, got: labels[index] }),
        None => Ok(()),
    }
}

/// That `classes` is not 0, and `scores`, `(n, classes)`, are numbers.
pub(crate) fn check_scores(scores: &[f32], classes: usize) -> Result<(), MetricsError> {
    if classes == 0 {
        return Err(MetricsError::Option { what: "the number of classes", expected: "at least 1", got: 0.0 });
    }
    if !scores.len().is_multiple_of(classes) {
        let expected = scores.len() / classes * classes;
        return Err(MetricsError::Lengths {
            what: "scores, which is no whole number of rows",
            expected,
            got: scores.len(),
        });
    }
    match scores.iter().position(|score| score.is_nan()) {
        Some(index) => Err(MetricsError::Value {
            what: "score",
            index,
            expected: "a number",
            got: f64::from(scores[index]),
        }),
        None => Ok(()),
    }
}
