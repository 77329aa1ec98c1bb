//! The definition, in plain loops and f64.

use super::{Activation, BatchNormSaved};

/// Mean and biased variance of each of `channels` channels, in f64.
pub fn batch_norm_statistics(x: &[f32], channels: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = (x.len() / channels).max(1) as f64;
    let column = |c: usize| x.iter().skip(c).step_by(channels).map(|v| f64::from(*v));
    let mean: Vec<f64> = (0..channels).map(|c| column(c).sum::<f64>() / rows).collect();
    let variance =
        (0..channels).map(|c| column(c).map(|v| (v - mean[c]).powi(2)).sum::<f64>() / rows).collect();
    (mean, variance)
}

/// As [`batch_norm_normalise`](crate::batch_norm_normalise), of checked arguments.
pub fn batch_norm_normalise(
    x: &[f32],
    saved: BatchNormSaved,
    weight: &[f32],
    bias: &[f32],
    activation: Activation,
) -> Vec<f32> {
    let channels = weight.len();
    x.iter()
        .enumerate()
        .map(|(i, v)| {
            let c = i % channels;
            let y = normalised(*v, c, &saved) * f64::from(weight[c]) + f64::from(bias[c]);
            if activation == Activation::Relu && y <= 0.0 { 0.0 } else { y as f32 }
        })
        .collect()
}

/// Gradients `(dx, dweight, dbias)` of [`batch_norm_normalise`](crate::batch_norm_normalise); `through_statistics` where
/// mean and variance are those of `x` itself.
pub fn batch_norm_backward(
    x: &[f32],
    y: &[f32],
    dy: &[f32],
    saved: BatchNormSaved,
    weight: &[f32],
    activation: Activation,
    through_statistics: bool,
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let channels = weight.len();
    let rows = (x.len() / channels).max(1) as f64;
    let (mut dweight, mut dbias) = (vec![0f64; channels], vec![0f64; channels]);
    let passed: Vec<f64> = dy
        .iter()
        .enumerate()
        .map(|(i, dy)| if activation == Activation::Relu && y[i] <= 0.0 { 0.0 } else { f64::from(*dy) })
        .collect();
    for (i, g) in passed.iter().enumerate() {
        dbias[i % channels] += g;
        dweight[i % channels] += g * normalised(x[i], i % channels, &saved);
    }
    let dx = passed.iter().enumerate().map(|(i, g)| {
        let c = i % channels;
        let through = (dbias[c] + normalised(x[i], c, &saved) * dweight[c]) / rows;
        let g = if through_statistics { g - through } else { *g };
        (f64::from(weight[c]) / (f64::from(saved.variance[c]) + f64::from(saved.eps)).sqrt() * g) as f32
    });
    let narrow = |v: &[f64]| v.iter().map(|v| *v as f32).collect();
    (dx.collect(), narrow(&dweight), narrow(&dbias))
}

fn normalised(x: f32, c: usize, saved: &BatchNormSaved) -> f64 {
    let deviation = (f64::from(saved.variance[c]) + f64::from(saved.eps)).sqrt();
    (f64::from(x) - f64::from(saved.mean[c])) / deviation
}
