use rayon::prelude::*;

use super::{expect_rows, rows_per_block};
use crate::error::{ShapeError, expect_len};
use crate::norm::{block_moments, merge};
use crate::scratch;

/// Mean and biased variance of each channel of `x`, `(rows, C)`; C is the length of `mean` and `variance`. Zeros where
/// there are no rows.
///
/// Each block of rows is summed twice in f32, the second time about its own mean, and the blocks are merged in f64 (Chan,
/// Golub & LeVeque, *Updating Formulae and a Pairwise Algorithm for Computing Sample Variances*, 1979): the variance keeps its digits where
/// the mean is much larger than the deviation.
///
/// # Errors
/// No channel, lengths of `mean` and `variance` that differ, or an `x` that is not whole rows.
pub fn batch_norm_statistics(x: &[f32], mean: &mut [f32], variance: &mut [f32]) -> Result<(), ShapeError> {
    const OP: &str = "batch_norm_statistics";
    let channels = mean.len();
    expect_len(OP, "variance", variance.len(), channels)?;
    expect_rows(OP, x, channels)?;
    let rows = x.len() / channels;
    let block_rows = rows_per_block(channels);
    scratch::with(rows.div_ceil(block_rows) * 3 * channels, |moments| {
        let blocks = moments.par_chunks_mut(3 * channels).zip(x.par_chunks(block_rows * channels));
        blocks.for_each(|(moments, x)| block_moments(x, moments));
        let rows_of = |block: usize| block_rows.min(rows - block * block_rows);
        let blocks = || moments.chunks_exact(3 * channels).enumerate().map(|(i, m)| (rows_of(i), m));
        merge(blocks, mean, variance);
    });
    Ok(())
}
