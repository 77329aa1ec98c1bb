use rayon::prelude::*;

use super::{expect_rows, rows_per_block};
use crate::error::{ShapeError, expect_len};
use crate::isa::multiversion;
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
        blocks.for_each(|(moments, x)| {
            let (mean, rest) = moments.split_at_mut(channels);
            let (shift, squares) = rest.split_at_mut(channels);
            block_moments(x, mean, shift, squares);
        });
        merge(moments, rows, block_rows, mean, variance);
    });
    Ok(())
}

/// Combines the blocks' moments, in their order.
fn merge(moments: &[f32], rows: usize, block_rows: usize, mean: &mut [f32], variance: &mut [f32]) {
    let channels = mean.len();
    let blocks = || {
        moments.chunks_exact(3 * channels).enumerate().map(|(i, moments)| {
            let rows = block_rows.min(rows - i * block_rows);
            (rows as f64, moments)
        })
    };
    let total = rows.max(1) as f64;
    for (c, (mean, variance)) in mean.iter_mut().zip(variance).enumerate() {
        let block_mean = |m: &[f32]| f64::from(m[c]) + f64::from(m[channels + c]);
        let centre = blocks().map(|(n, m)| n * block_mean(m)).sum::<f64>() / total;
        let squares: f64 = blocks()
            .map(|(n, m)| f64::from(m[2 * channels + c]) + n * (block_mean(m) - centre).powi(2))
            .sum();
        *mean = centre as f32;
        *variance = (squares / total) as f32;
    }
}

multiversion! {
    /// Moments of a block of rows: the mean is `mean + shift`, the sum of squared deviations from it `squares`.
    fn block_moments(x: &[f32], mean: &mut [f32], shift: &mut [f32], squares: &mut [f32]) {
        let channels = mean.len();
        let (shift, squares) = (&mut shift[..channels], &mut squares[..channels]);
        let scale = channels as f32 / x.len() as f32;
        mean.fill(0.0);
        let mut quads = x.chunks_exact(4 * channels);
        for quad in &mut quads {
            let (a, b) = quad.split_at(2 * channels);
            let ((a, b), (c, d)) = (a.split_at(channels), b.split_at(channels));
            let (b, c, d) = (&b[..channels], &c[..channels], &d[..channels]);
            for (i, m) in mean.iter_mut().enumerate() {
                *m += (a[i] + b[i]) + (c[i] + d[i]);
            }
        }
        for row in quads.remainder().chunks_exact(channels) {
            mean.iter_mut().zip(row).for_each(|(m, v)| *m += v);
        }
        mean.iter_mut().for_each(|m| *m *= scale);

        shift.fill(0.0);
        squares.fill(0.0);
        let mut pairs = x.chunks_exact(2 * channels);
        for pair in &mut pairs {
            let (a, b) = pair.split_at(channels);
            let b = &b[..channels];
            for i in 0..channels {
                let (u, v) = (a[i] - mean[i], b[i] - mean[i]);
                shift[i] += u + v;
                squares[i] += u * u + v * v;
            }
        }
        for row in pairs.remainder().chunks_exact(channels) {
            for i in 0..channels {
                let u = row[i] - mean[i];
                shift[i] += u;
                squares[i] += u * u;
            }
        }
        for (shift, squares) in shift.iter_mut().zip(squares) {
            // About the true mean rather than about the rounded one.
            *squares = (*squares - *shift * *shift * scale).max(0.0);
            *shift *= scale;
        }
    }
}
