use rayon::prelude::*;

use super::GhostBatchNormShape;
use crate::error::ShapeError;
use crate::norm::{NormGradients, NormPass, Rows, Terms, gradient, image_sums, inverse_deviation};
use crate::scratch;

/// The gradients of a ghost batch norm whose statistics are those of `x` itself, through these and the activation.
///
/// With `g = dy` where the activation let it pass and 0 elsewhere, `x̂ = (x − mean)·r`, `r = 1/sqrt(variance + eps)`, and `⟨·⟩`
/// the mean over the values of a channel in a split: `dbias = Σ g` and `dweight = Σ g·x̂` over all splits,
/// `dx = weight·r·(g − ⟨g⟩ − x̂·⟨g·x̂⟩)`. `x`, `y` (the output; not read, and may be empty, where there is no activation), `dy` and
/// `dx` are `(N, P, C)`, the statistics `(splits, channels)`, `weight`, `dweight` and `dbias` `(C)`.
///
/// # Errors
/// A shape that cannot be; slices of other lengths.
pub fn ghost_batch_norm_backward(
    shape: &GhostBatchNormShape,
    pass: NormPass,
    out: NormGradients,
) -> Result<(), ShapeError> {
    shape.checked()?;
    pass.expect("ghost_batch_norm_backward", shape.lengths(), &out)?;
    let NormGradients { dx, dweight, dbias } = out;
    if shape.is_empty() {
        dweight.fill(0.0);
        dbias.fill(0.0);
        return Ok(());
    }
    let (channels, image) = (shape.channels, shape.image());
    let (rows, statistics) = (Rows::of(&pass), pass.statistics);
    let inverse = |at: usize| inverse_deviation(statistics.variance[at], statistics.eps);
    // Per split and channel: Σ g, Σ g·(x − mean), then the factors of the gradient.
    scratch::with(shape.splits * FACTORS * channels, |factors| {
        // Each image leaves its share of the sums; they are added in the images' order.
        scratch::with(shape.batch * 2 * channels, |shares| {
            shares.par_chunks_mut(2 * channels).enumerate().for_each(|(n, share)| {
                let rows = rows.part(n * image..(n + 1) * image);
                image_sums(&rows, &statistics.mean[shape.statistics_of(n)], share);
            });
            let shares = &*shares;
            factors.par_chunks_mut(FACTORS * channels).enumerate().for_each(|(split, factors)| {
                let sum = |at: usize| {
                    let shares = shape.images(split).map(|n| f64::from(shares[n * 2 * channels + at]));
                    shares.sum::<f64>() as f32
                };
                let count = shape.values(split).max(1) as f32;
                for c in 0..channels {
                    let (inverse, plain, weighted) =
                        (inverse(split * channels + c), sum(c), sum(channels + c));
                    let scale = pass.weight[c] * inverse;
                    let values = [
                        plain,
                        weighted,
                        scale,
                        scale * plain / count,
                        scale * inverse * inverse * weighted / count,
                    ];
                    values.into_iter().enumerate().for_each(|(i, value)| factors[i * channels + c] = value);
                }
            });
        });
        let factors = &*factors;
        for c in 0..channels {
            let of = |split: usize, i: usize| f64::from(factors[(split * FACTORS + i) * channels + c]);
            let scaled = |split: usize| of(split, 1) * f64::from(inverse(split * channels + c));
            dbias[c] = (0..shape.splits).map(|split| of(split, 0)).sum::<f64>() as f32;
            dweight[c] = (0..shape.splits).map(scaled).sum::<f64>() as f32;
        }
        dx.par_chunks_mut(image).enumerate().for_each(|(n, dx)| {
            let factors = &factors[n % shape.splits * FACTORS * channels..][..FACTORS * channels];
            let (scale, rest) = factors[2 * channels..].split_at(channels);
            let (offset, slope) = rest.split_at(channels);
            let terms = Terms { mean: &statistics.mean[shape.statistics_of(n)], scale, offset, slope };
            gradient(&rows.part(n * image..(n + 1) * image), &terms, dx);
        });
    });
    Ok(())
}

/// Numbers that are kept for each split and channel.
const FACTORS: usize = 5;
