use rayon::prelude::*;

use super::{expect_rows, rows_per_block};
use crate::error::{ShapeError, expect_len};
use crate::norm::{NormAffine, NormStatistics, inverse_deviation, normalise};
use crate::scratch;

/// `y = activation((x − mean) / sqrt(variance + eps) · weight + bias)`; `x` and `y` are `(rows, C)`, the rest `(C)`.
///
/// # Errors
/// No channel, an `x` that is not whole rows, or another slice of the wrong length.
pub fn batch_norm_normalise(
    x: &[f32],
    statistics: NormStatistics,
    affine: NormAffine,
    y: &mut [f32],
) -> Result<(), ShapeError> {
    const OP: &str = "batch_norm_normalise";
    let NormStatistics { mean, variance, eps } = statistics;
    let channels = mean.len();
    let lengths = expect_rows(OP, x, channels)?;
    statistics.expect(OP, lengths)?;
    affine.expect(OP, lengths)?;
    expect_len(OP, "y", y.len(), x.len())?;
    let block = rows_per_block(channels) * channels;
    scratch::with(channels, |scale| {
        for ((s, w), v) in scale.iter_mut().zip(affine.weight).zip(variance) {
            *s = w * inverse_deviation(*v, eps);
        }
        let scale = &*scale;
        y.par_chunks_mut(block).zip(x.par_chunks(block)).for_each(|(y, x)| {
            normalise(x, mean, scale, affine.bias, affine.floor(), y);
        });
    });
    Ok(())
}
