use rayon::prelude::*;

use super::GhostBatchNormShape;
use crate::error::{ShapeError, expect_len};
use crate::norm::{NormAffine, NormStatistics, block_moments, inverse_deviation, merge, normalise};
use crate::scratch;

/// Values of an image that are summed before sums are merged: as many as stay in the L2 between two looks at them. A fixed
/// number, so that sums depend on the shape alone.
const BLOCK: usize = 64 * 1024;

/// Mean and biased variance of each channel in each split, `(splits, channels)`; `x` is `(N, P, C)`. Zeros for a split without
/// images.
///
/// # Errors
/// A shape that cannot be; slices of other lengths.
pub fn ghost_batch_norm_statistics(
    shape: &GhostBatchNormShape,
    x: &[f32],
    mean: &mut [f32],
    variance: &mut [f32],
) -> Result<(), ShapeError> {
    const OP: &str = "ghost_batch_norm_statistics";
    shape.checked()?;
    expect_len(OP, "x", x.len(), shape.len())?;
    expect_len(OP, "mean", mean.len(), shape.statistics_len())?;
    expect_len(OP, "variance", variance.len(), shape.statistics_len())?;
    if shape.is_empty() {
        mean.fill(0.0);
        variance.fill(0.0);
        return Ok(());
    }
    let &GhostBatchNormShape { positions, channels, .. } = shape;
    let block_rows = (BLOCK / channels).max(1);
    let image = positions.div_ceil(block_rows) * 3 * channels;
    scratch::with(shape.batch * image, |moments| {
        moments.par_chunks_mut(image).zip(x.par_chunks(shape.image())).for_each(|(moments, x)| {
            let blocks = moments.chunks_exact_mut(3 * channels).zip(x.chunks(block_rows * channels));
            blocks.for_each(|(moments, x)| block_moments(x, moments));
        });
        let moments = &*moments;
        let of_image = |n: usize| {
            let blocks = moments[n * image..(n + 1) * image].chunks_exact(3 * channels).enumerate();
            blocks.map(move |(i, moments)| (block_rows.min(positions - i * block_rows), moments))
        };
        let statistics = mean.par_chunks_mut(channels).zip(variance.par_chunks_mut(channels)).enumerate();
        statistics.for_each(|(split, (mean, variance))| {
            merge(|| shape.images(split).flat_map(of_image), mean, variance);
        });
    });
    Ok(())
}

/// `y = activation((x − mean) / sqrt(variance + eps) · weight + bias)`, mean and variance those of the image's split.
///
/// `x` and `y` are `(N, P, C)`, the statistics `(splits, channels)`, `weight` and `bias` `(C)`.
///
/// # Errors
/// A shape that cannot be; slices of other lengths.
pub fn ghost_batch_norm_normalise(
    shape: &GhostBatchNormShape,
    x: &[f32],
    statistics: NormStatistics,
    affine: NormAffine,
    y: &mut [f32],
) -> Result<(), ShapeError> {
    const OP: &str = "ghost_batch_norm_normalise";
    shape.checked()?;
    expect_len(OP, "x", x.len(), shape.len())?;
    statistics.expect(OP, shape.lengths())?;
    affine.expect(OP, shape.lengths())?;
    expect_len(OP, "y", y.len(), shape.len())?;
    if shape.is_empty() {
        return Ok(());
    }
    scratch::with(shape.statistics_len(), |scales| {
        for (i, (scale, variance)) in scales.iter_mut().zip(statistics.variance).enumerate() {
            *scale = affine.weight[i % shape.channels] * inverse_deviation(*variance, statistics.eps);
        }
        let scales = &*scales;
        let images = y.par_chunks_mut(shape.image()).zip(x.par_chunks(shape.image())).enumerate();
        images.for_each(|(n, (y, x))| {
            let of_split = shape.statistics_of(n);
            let (mean, scale) = (&statistics.mean[of_split.clone()], &scales[of_split]);
            normalise(x, mean, scale, affine.bias, affine.floor(), y);
        });
    });
    Ok(())
}
