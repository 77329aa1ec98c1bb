//! The definition, in plain loops and f64: the batch norm's, of each split's images put together.

use super::GhostBatchNormShape;
use crate::batch_norm::reference as batch_norm;
use crate::norm::{NormAffine, NormPass, NormStatistics};

/// Mean and biased variance of each channel in each split, `(splits, channels)`, in f64.
pub fn ghost_batch_norm_statistics(shape: &GhostBatchNormShape, x: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let of_split = |split| batch_norm::batch_norm_statistics(&gather(shape, split, x), shape.channels);
    let (means, variances): (Vec<_>, Vec<_>) = (0..shape.splits).map(of_split).unzip();
    (means.concat(), variances.concat())
}

/// As [`ghost_batch_norm_normalise`](crate::ghost_batch_norm_normalise), of checked arguments.
pub fn ghost_batch_norm_normalise(
    shape: &GhostBatchNormShape,
    x: &[f32],
    statistics: NormStatistics,
    affine: NormAffine,
) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    for split in 0..shape.splits {
        let of_split = batch_norm::batch_norm_normalise(
            &gather(shape, split, x),
            of_split(shape, split, statistics),
            affine,
        );
        scatter(shape, split, &of_split, &mut y);
    }
    y
}

/// As [`ghost_batch_norm_backward`](crate::ghost_batch_norm_backward), of checked arguments: `(dx, dweight, dbias)`.
pub fn ghost_batch_norm_backward(
    shape: &GhostBatchNormShape,
    pass: NormPass,
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let mut dx = vec![0.0; pass.x.len()];
    let (mut dweight, mut dbias) = (vec![0.0; shape.channels], vec![0.0; shape.channels]);
    for split in 0..shape.splits {
        let (x, dy) = (gather(shape, split, pass.x), gather(shape, split, pass.dy));
        let y = if pass.y.is_empty() { Vec::new() } else { gather(shape, split, pass.y) };
        let statistics = of_split(shape, split, pass.statistics);
        let of_split =
            batch_norm::batch_norm_backward(NormPass { x: &x, y: &y, dy: &dy, statistics, ..pass });
        scatter(shape, split, &of_split.0, &mut dx);
        dweight.iter_mut().zip(of_split.1).for_each(|(sum, part)| *sum += part);
        dbias.iter_mut().zip(of_split.2).for_each(|(sum, part)| *sum += part);
    }
    (dx, dweight, dbias)
}

fn of_split<'a>(
    shape: &GhostBatchNormShape,
    split: usize,
    statistics: NormStatistics<'a>,
) -> NormStatistics<'a> {
    let of = |values: &'a [f32]| &values[split * shape.channels..(split + 1) * shape.channels];
    NormStatistics { mean: of(statistics.mean), variance: of(statistics.variance), ..statistics }
}

/// The images of a split, one behind the other.
fn gather(shape: &GhostBatchNormShape, split: usize, x: &[f32]) -> Vec<f32> {
    shape.images(split).flat_map(|n| &x[n * shape.image()..(n + 1) * shape.image()]).copied().collect()
}

/// Puts them back.
fn scatter(shape: &GhostBatchNormShape, split: usize, from: &[f32], to: &mut [f32]) {
    for (i, n) in shape.images(split).enumerate() {
        let size = shape.image();
        to[n * size..(n + 1) * size].copy_from_slice(&from[i * size..(i + 1) * size]);
    }
}
