use rayon::prelude::*;

use super::GroupNormShape;
use crate::error::ShapeError;
use crate::norm::{
    NormGradients, NormPass, NormStatistics, Rows, Terms, add_shares, gradient, image_sums, inverse_deviation,
};
use crate::scratch;

/// The gradients of [`group_norm_forward`](crate::group_norm_forward), through the statistics and the activation.
///
/// With `g = dy` where the activation let it pass and 0 elsewhere, `x̂ = (x − mean)·r`, `r = 1/sqrt(variance + eps)`, and
/// `⟨·⟩` the mean over a group of an image: `dbias = Σ g` and `dweight = Σ g·x̂` over images and positions,
/// `dx = r·(w·g − ⟨w·g⟩ − x̂·⟨w·g·x̂⟩)`. `x`, `y` (the output; not read, and may be empty, where there is no activation),
/// `dy` and `dx` are `(N, P, C)`, `weight`, `dweight` and `dbias` `(C)`.
///
/// # Errors
/// A shape that cannot be; slices of other lengths.
pub fn group_norm_backward(
    shape: &GroupNormShape,
    pass: NormPass,
    out: NormGradients,
) -> Result<(), ShapeError> {
    shape.checked()?;
    pass.expect("group_norm_backward", shape.lengths(), &out)?;
    let &GroupNormShape { channels, groups, .. } = shape;
    let NormGradients { dx, dweight, dbias } = out;
    if shape.is_empty() {
        dweight.fill(0.0);
        dbias.fill(0.0);
        return Ok(());
    }
    let (rows, statistics) = (Rows::of(&pass), pass.statistics);
    let image = shape.image();
    // Each image leaves its share of dbias and dweight; they are added in the images' order.
    scratch::with(shape.batch * 2 * channels, |shares| {
        let outputs = dx.par_chunks_mut(image).zip(shares.par_chunks_mut(2 * channels)).enumerate();
        outputs.for_each(|(n, (dx, shares))| {
            let (range, of_image) = (n * image..(n + 1) * image, n * groups..(n + 1) * groups);
            let (mean, variance) = (&statistics.mean[of_image.clone()], &statistics.variance[of_image]);
            let statistics = NormStatistics { mean, variance, ..statistics };
            let image = Image { shape, rows: rows.part(range), statistics, weight: pass.weight };
            image.gradients(dx, shares);
        });
        add_shares(shares, dbias, dweight);
    });
    Ok(())
}

/// One image.
struct Image<'a> {
    shape: &'a GroupNormShape,
    rows: Rows<'a>,
    /// Of its groups, `(G)`.
    statistics: NormStatistics<'a>,
    weight: &'a [f32],
}

impl Image<'_> {
    /// Its `dx`, and in `shares` its part of `dbias`, then of `dweight`.
    fn gradients(&self, dx: &mut [f32], shares: &mut [f32]) {
        let Self { shape, statistics, weight, .. } = self;
        let (channels, group) = (shape.channels, shape.group());
        scratch::with(4 * channels, |terms| {
            let (mean, terms) = terms.split_at_mut(channels);
            let (scale, terms) = terms.split_at_mut(channels);
            let (offset, slope) = terms.split_at_mut(channels);
            for (c, mean) in mean.iter_mut().enumerate() {
                *mean = statistics.mean[c / group];
            }
            image_sums(&self.rows, mean, shares);
            let (plain, weighted) = shares.split_at_mut(channels);
            for g in 0..shape.groups {
                let inverse = inverse_deviation(statistics.variance[g], statistics.eps);
                let of_group = g * group..(g + 1) * group;
                weighted[of_group.clone()].iter_mut().for_each(|v| *v *= inverse);
                let mean_of = |sums: &[f32]| {
                    let terms = of_group.clone().map(|c| f64::from(weight[c]) * f64::from(sums[c]));
                    terms.sum::<f64>() / shape.group_values()
                };
                let inverse = f64::from(inverse);
                offset[of_group.clone()].fill((inverse * mean_of(plain)) as f32);
                slope[of_group.clone()].fill((inverse * inverse * mean_of(weighted)) as f32);
                of_group.for_each(|c| scale[c] = (inverse * f64::from(weight[c])) as f32);
            }
            let terms = Terms { mean, scale, offset, slope };
            gradient(&self.rows, &terms, dx);
        });
    }
}
