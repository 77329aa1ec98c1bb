//! The definition, in plain loops and f64.

use crate::norm::{Activation, NormAffine, NormPass, NormStatistics};

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
pub fn batch_norm_normalise(x: &[f32], statistics: NormStatistics, affine: NormAffine) -> Vec<f32> {
    let NormAffine { weight, bias, activation } = affine;
    let channels = weight.len();
    x.iter()
        .enumerate()
        .map(|(i, v)| {
            let c = i % channels;
            let y = normalised(*v, c, &statistics) * f64::from(weight[c]) + f64::from(bias[c]);
            if activation == Activation::Relu && y <= 0.0 { 0.0 } else { y as f32 }
        })
        .collect()
}

/// As [`batch_norm_backward`](crate::batch_norm_backward), of checked arguments: `(dx, dweight, dbias)`.
pub fn batch_norm_backward(pass: NormPass) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let rows = (pass.x.len() / pass.weight.len()).max(1) as f64;
    backward(pass, |g, normalised, [dweight, dbias]| g - (dbias + normalised * dweight) / rows)
}

/// As [`batch_norm_backward_frozen`](crate::batch_norm_backward_frozen), of checked arguments: `(dx, dweight, dbias)`.
pub fn batch_norm_backward_frozen(pass: NormPass) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    backward(pass, |g, _, _| g)
}

/// `through` makes of what passed the activation, the normalised input and the gradients of weight and bias what passes the
/// statistics.
fn backward(pass: NormPass, through: impl Fn(f64, f64, [f64; 2]) -> f64) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let NormPass { x, y, dy, statistics, weight, activation } = pass;
    let channels = weight.len();
    let (mut dweight, mut dbias) = (vec![0f64; channels], vec![0f64; channels]);
    let passed: Vec<f64> = dy
        .iter()
        .enumerate()
        .map(|(i, dy)| if activation == Activation::Relu && y[i] <= 0.0 { 0.0 } else { f64::from(*dy) })
        .collect();
    for (i, g) in passed.iter().enumerate() {
        dbias[i % channels] += g;
        dweight[i % channels] += g * normalised(x[i], i % channels, &statistics);
    }
    let dx = passed.iter().enumerate().map(|(i, g)| {
        let c = i % channels;
        let g = through(*g, normalised(x[i], c, &statistics), [dweight[c], dbias[c]]);
        (f64::from(weight[c]) / deviation(c, &statistics) * g) as f32
    });
    let narrow = |v: &[f64]| v.iter().map(|v| *v as f32).collect();
    (dx.collect(), narrow(&dweight), narrow(&dbias))
}

fn normalised(x: f32, c: usize, statistics: &NormStatistics) -> f64 {
    (f64::from(x) - f64::from(statistics.mean[c])) / deviation(c, statistics)
}

fn deviation(c: usize, statistics: &NormStatistics) -> f64 {
    (f64::from(statistics.variance[c]) + f64::from(statistics.eps)).sqrt()
}
