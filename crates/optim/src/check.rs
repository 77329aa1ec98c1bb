//! Range checks of options.

use crate::OptimError;

/// `Ok` where `holds`, else the error that names `key`, its value and what is allowed.
pub(crate) fn require(
    holds: bool,
    key: &'static str,
    value: impl std::fmt::Display,
    expected: &'static str,
) -> Result<(), OptimError> {
    if holds { Ok(()) } else { Err(OptimError::Option { key, value: value.to_string(), expected }) }
}

pub(crate) fn not_negative(key: &'static str, value: f64) -> Result<(), OptimError> {
    require(value.is_finite() && value >= 0.0, key, value, "a finite number, at least 0")
}

pub(crate) fn positive(key: &'static str, value: f64) -> Result<(), OptimError> {
    require(value.is_finite() && value > 0.0, key, value, "a finite number above 0")
}

/// For momenta and decay rates of averages.
pub(crate) fn below_one(key: &'static str, value: f64) -> Result<(), OptimError> {
    require((0.0..1.0).contains(&value), key, value, "at least 0 and below 1")
}
