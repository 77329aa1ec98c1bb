//! The definition, in plain loops and f64.

use super::GroupNormShape;
use crate::norm::{Activation, NormAffine, NormPass, NormStatistics};

/// Mean and biased variance of each group of each image, `(N, G)`, in f64.
pub fn group_norm_statistics(shape: &GroupNormShape, x: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let values = group_values(shape);
    let (mut mean, mut variance) = (vec![0f64; shape.statistics_len()], vec![0f64; shape.statistics_len()]);
    for (i, v) in x.iter().enumerate() {
        mean[group_of(shape, i)] += f64::from(*v) / values;
    }
    for (i, v) in x.iter().enumerate() {
        variance[group_of(shape, i)] += (f64::from(*v) - mean[group_of(shape, i)]).powi(2) / values;
    }
    (mean, variance)
}

/// As [`group_norm_forward`](crate::group_norm_forward), of checked arguments and given statistics.
pub fn group_norm_normalise(
    shape: &GroupNormShape,
    x: &[f32],
    statistics: NormStatistics,
    affine: NormAffine,
) -> Vec<f32> {
    let NormAffine { weight, bias, activation } = affine;
    let value = |(i, v): (usize, &f32)| {
        let c = i % shape.channels;
        let y = (f64::from(*v) - mean(shape, &statistics, i))
            * inverse(shape, &statistics, i)
            * f64::from(weight[c])
            + f64::from(bias[c]);
        if activation == Activation::Relu && y <= 0.0 { 0.0 } else { y as f32 }
    };
    x.iter().enumerate().map(value).collect()
}

/// As [`group_norm_backward`](crate::group_norm_backward), of checked arguments: `(dx, dweight, dbias)`.
pub fn group_norm_backward(shape: &GroupNormShape, pass: NormPass) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let NormPass { x, y, dy, statistics, weight, activation } = pass;
    let normalised =
        |i: usize| (f64::from(x[i]) - mean(shape, &statistics, i)) * inverse(shape, &statistics, i);
    let passed =
        |i: usize| if activation == Activation::Relu && y[i] <= 0.0 { 0.0 } else { f64::from(dy[i]) };
    let weighted = |i: usize| f64::from(weight[i % shape.channels]) * passed(i);
    let (mut dweight, mut dbias) = (vec![0f64; shape.channels], vec![0f64; shape.channels]);
    let (mut means, mut slopes) = (vec![0f64; shape.statistics_len()], vec![0f64; shape.statistics_len()]);
    for i in 0..x.len() {
        dbias[i % shape.channels] += passed(i);
        dweight[i % shape.channels] += passed(i) * normalised(i);
        means[group_of(shape, i)] += weighted(i) / group_values(shape);
        slopes[group_of(shape, i)] += weighted(i) * normalised(i) / group_values(shape);
    }
    let dx = (0..x.len()).map(|i| {
        let group = group_of(shape, i);
        (inverse(shape, &statistics, i) * (weighted(i) - means[group] - normalised(i) * slopes[group])) as f32
    });
    let narrow = |v: &[f64]| v.iter().map(|v| *v as f32).collect();
    (dx.collect(), narrow(&dweight), narrow(&dbias))
}

fn group_values(shape: &GroupNormShape) -> f64 {
    (shape.positions * shape.channels / shape.groups).max(1) as f64
}

/// The group, counted over all images, of element `i`.
fn group_of(shape: &GroupNormShape, i: usize) -> usize {
    let image = i / (shape.positions * shape.channels);
    image * shape.groups + i % shape.channels / (shape.channels / shape.groups)
}

fn mean(shape: &GroupNormShape, statistics: &NormStatistics, i: usize) -> f64 {
    f64::from(statistics.mean[group_of(shape, i)])
}

fn inverse(shape: &GroupNormShape, statistics: &NormStatistics, i: usize) -> f64 {
    1.0 / (f64::from(statistics.variance[group_of(shape, i)]) + f64::from(statistics.eps)).sqrt()
}
