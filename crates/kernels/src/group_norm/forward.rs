use rayon::prelude::*;

use super::GroupNormShape;
use crate::error::{ShapeError, expect_len};
use crate::isa::multiversion;
use crate::norm::{NormAffine, ROWS, inverse_deviation, normalise};
use crate::scratch;

/// `y = activation((x − mean) / sqrt(variance + eps) · weight + bias)`, mean and biased variance those of the value's own
/// group in its own image.
///
/// `x` and `y` are `(N, P, C)`, `weight` and `bias` `(C)`. `mean` and `variance`, `(N, G)`, receive the statistics, for
/// [`group_norm_backward`](crate::group_norm_backward). An image is read three times, and stays in the cache meanwhile;
/// its mean is taken first and the squares about it, so that the variance keeps its digits where the mean is much
/// larger than the deviation.
///
/// # Errors
/// A shape that cannot be; slices of other lengths.
pub fn group_norm_forward(
    shape: &GroupNormShape,
    x: &[f32],
    affine: NormAffine,
    eps: f32,
    y: &mut [f32],
    mean: &mut [f32],
    variance: &mut [f32],
) -> Result<(), ShapeError> {
    const OP: &str = "group_norm_forward";
    shape.checked()?;
    expect_len(OP, "x", x.len(), shape.len())?;
    affine.expect(OP, shape.lengths())?;
    expect_len(OP, "y", y.len(), shape.len())?;
    expect_len(OP, "mean", mean.len(), shape.statistics_len())?;
    expect_len(OP, "variance", variance.len(), shape.statistics_len())?;
    if shape.is_empty() {
        mean.fill(0.0);
        variance.fill(0.0);
        return Ok(());
    }
    let statistics = mean.par_chunks_mut(shape.groups).zip(variance.par_chunks_mut(shape.groups));
    let images = y.par_chunks_mut(shape.image()).zip(x.par_chunks(shape.image()));
    images.zip(statistics).for_each(|((y, x), (mean, variance))| {
        statistics_of(shape, x, mean, variance);
        scratch::with(2 * shape.channels, |terms| {
            let (centre, scale) = terms.split_at_mut(shape.channels);
            for c in 0..shape.channels {
                let group = c / shape.group();
                centre[c] = mean[group];
                scale[c] = affine.weight[c] * inverse_deviation(variance[group], eps);
            }
            normalise(x, centre, scale, affine.bias, affine.floor(), y);
        });
    });
    Ok(())
}

/// Mean and biased variance of each group of one image.
fn statistics_of(shape: &GroupNormShape, x: &[f32], mean: &mut [f32], variance: &mut [f32]) {
    let &GroupNormShape { channels, groups, .. } = shape;
    let (group, values) = (shape.group(), shape.group_values());
    let blocks = || x.chunks(ROWS * channels);
    scratch::with((2 * blocks().len() + 1) * channels, |memory| {
        let (centre, sums) = memory.split_at_mut(channels);
        // Per block of rows, a sum for each channel; those of a group are then added in f64.
        let (shifts, squares) = sums.split_at_mut(blocks().len() * channels);
        let of_group = |sums: &[f32], g: usize| -> f64 {
            let rows = sums.chunks_exact(channels).map(|row| &row[g * group..(g + 1) * group]);
            rows.flatten().map(|v| f64::from(*v)).sum()
        };
        shifts.chunks_exact_mut(channels).zip(blocks()).for_each(|(sums, x)| column_sums(x, sums));
        for g in 0..groups {
            mean[g] = (of_group(shifts, g) / values) as f32;
            centre[g * group..(g + 1) * group].fill(mean[g]);
        }
        let moments = shifts.chunks_exact_mut(channels).zip(squares.chunks_exact_mut(channels));
        moments.zip(blocks()).for_each(|((shift, squares), x)| column_moments(x, centre, shift, squares));
        for g in 0..groups {
            // What the first sum lost to rounding, taken off here and added there.
            let shift = of_group(shifts, g) / values;
            mean[g] = (f64::from(mean[g]) + shift) as f32;
            variance[g] = (of_group(squares, g) / values - shift * shift).max(0.0) as f32;
        }
    });
}

multiversion! {
    fn column_sums(x: &[f32], sums: &mut [f32]) {
        sums.fill(0.0);
        for row in x.chunks_exact(sums.len()) {
            sums.iter_mut().zip(row).for_each(|(s, v)| *s += v);
        }
    }

    /// Per channel `Σ (x − centre)` and `Σ (x − centre)²`.
    fn column_moments(x: &[f32], centre: &[f32], shift: &mut [f32], squares: &mut [f32]) {
        let channels = centre.len();
        let (shift, squares) = (&mut shift[..channels], &mut squares[..channels]);
        shift.fill(0.0);
        squares.fill(0.0);
        for row in x.chunks_exact(channels) {
            for i in 0..channels {
                let v = row[i] - centre[i];
                shift[i] += v;
                squares[i] += v * v;
            }
        }
    }
}
