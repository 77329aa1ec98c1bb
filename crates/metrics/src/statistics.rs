//! Mean and spread of a few values.

use crate::MetricsError;
use crate::error::check_enough;

/// Arithmetic mean.
///
/// # Errors
/// No values, or one that is not finite.
pub fn mean(values: &[f64]) -> Result<f64, MetricsError> {
    check_enough("a mean", 1, values.len())?;
    check_finite(values)?;
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation of the population that the values are drawn from: √(Σ (x − mean)² / (n − 1)).
///
/// # Errors
/// Fewer than two values, or one that is not finite.
pub fn standard_deviation(values: &[f64]) -> Result<f64, MetricsError> {
    check_enough("a standard deviation", 2, values.len())?;
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Ok((squares / (values.len() - 1) as f64).sqrt())
}

pub(crate) fn check_finite(values: &[f64]) -> Result<(), MetricsError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => {
            Err(MetricsError::Value { what: "value", index, expected: "a finite number", got: values[index] })
        }
        None => Ok(()),
    }
}
