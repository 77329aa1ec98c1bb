//! The definition, in f64.

use std::f64::consts::{PI, SQRT_2, TAU};

/// `x·Φ(x)` of each value.
pub fn gelu_forward(x: &[f32]) -> Vec<f32> {
    x.iter().map(|v| (f64::from(*v) * distribution(f64::from(*v))) as f32).collect()
}

/// The gradient: `dy·(Φ(x) + x·φ(x))`.
pub fn gelu_backward(x: &[f32], dy: &[f32]) -> Vec<f32> {
    x.iter().zip(dy).map(|(x, dy)| (f64::from(*dy) * slope(f64::from(*x))) as f32).collect()
}

pub(crate) fn slope(x: f64) -> f64 {
    distribution(x) + x * (-0.5 * x * x).exp() / TAU.sqrt()
}

/// Φ, by the error function's series near 0 and its continued fraction far away (Abramowitz & Stegun 7.1.6 and 7.1.14).
pub(crate) fn distribution(x: f64) -> f64 {
    let z = x.abs() / SQRT_2;
    let tail = if z < 3.0 {
        // erf z = 2/√π·e^(−z²)·Σ 2ⁿ z^(2n+1) / (1·3·…·(2n+1))
        let (mut term, mut sum) = (z, z);
        for n in 1..100 {
            term *= 2.0 * z * z / f64::from(2 * n + 1);
            sum += term;
        }
        0.5 - sum * (-z * z).exp() / PI.sqrt()
    } else {
        // erfc z = e^(−z²)/√π / (z + (1/2)/(z + (2/2)/(z + (3/2)/(z + …))))
        let fraction = (1..=100).rev().fold(z, |f, k| z + 0.5 * f64::from(k) / f);
        0.5 * (-z * z).exp() / (PI.sqrt() * fraction)
    };
    if x < 0.0 { tail } else { 1.0 - tail }
}
