use rayon::prelude::*;

use super::{GroupNormSaved, GroupNormShape, ROWS, inverse_deviation};
use crate::batch_norm::Activation;
use crate::error::{ShapeError, expect_len};
use crate::isa::multiversion;
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
#[expect(clippy::too_many_arguments, reason = "the tensors of the formula")]
pub fn group_norm_backward(
    shape: &GroupNormShape,
    x: &[f32],
    y: &[f32],
    dy: &[f32],
    saved: GroupNormSaved,
    weight: &[f32],
    activation: Activation,
    dx: &mut [f32],
    dweight: &mut [f32],
    dbias: &mut [f32],
) -> Result<(), ShapeError> {
    const OP: &str = "group_norm_backward";
    shape.checked()?;
    let &GroupNormShape { channels, groups, .. } = shape;
    expect_len(OP, "x", x.len(), shape.len())?;
    if activation == Activation::Relu {
        expect_len(OP, "y", y.len(), shape.len())?;
    }
    expect_len(OP, "dy", dy.len(), shape.len())?;
    expect_len(OP, "mean", saved.mean.len(), shape.statistics_len())?;
    expect_len(OP, "variance", saved.variance.len(), shape.statistics_len())?;
    expect_len(OP, "weight", weight.len(), channels)?;
    expect_len(OP, "dx", dx.len(), shape.len())?;
    expect_len(OP, "dweight", dweight.len(), channels)?;
    expect_len(OP, "dbias", dbias.len(), channels)?;
    if shape.is_empty() {
        dweight.fill(0.0);
        dbias.fill(0.0);
        return Ok(());
    }
    // Without an activation nothing is masked; any slice of the right length does.
    let (y, masked) = match activation {
        Activation::None => (dy, false),
        Activation::Relu => (y, true),
    };
    let image = shape.image();
    // Each image leaves its share of dbias and dweight; they are added in the images' order.
    scratch::with(shape.batch * 2 * channels, |shares| {
        let outputs = dx.par_chunks_mut(image).zip(shares.par_chunks_mut(2 * channels)).enumerate();
        outputs.for_each(|(n, (dx, shares))| {
            let (range, of_image) = (n * image..(n + 1) * image, n * groups..(n + 1) * groups);
            let (mean, variance) = (&saved.mean[of_image.clone()], &saved.variance[of_image]);
            let saved = GroupNormSaved { mean, variance, ..saved };
            let tensors = Image { x: &x[range.clone()], y: &y[range.clone()], dy: &dy[range], masked };
            tensors.gradients(shape, saved, weight, dx, shares);
        });
        let sum = |at: usize| shares.chunks_exact(2 * channels).map(|s| f64::from(s[at])).sum::<f64>() as f32;
        for c in 0..channels {
            dbias[c] = sum(c);
            dweight[c] = sum(channels + c);
        }
    });
    Ok(())
}

/// One image's tensors, `(P, C)`.
struct Image<'a> {
    x: &'a [f32],
    y: &'a [f32],
    dy: &'a [f32],
    masked: bool,
}

/// Per channel: `dx = scale·g − offset − (x − mean)·slope`.
struct Terms<'a> {
    mean: &'a [f32],
    scale: &'a [f32],
    offset: &'a [f32],
    slope: &'a [f32],
}

impl Image<'_> {
    /// Its `dx`, and in `shares` its part of `dbias`, then of `dweight`.
    fn gradients(
        &self,
        shape: &GroupNormShape,
        saved: GroupNormSaved,
        weight: &[f32],
        dx: &mut [f32],
        shares: &mut [f32],
    ) {
        let (channels, group) = (shape.channels, shape.group());
        scratch::with(4 * channels, |terms| {
            let (mean, terms) = terms.split_at_mut(channels);
            let (scale, terms) = terms.split_at_mut(channels);
            let (offset, slope) = terms.split_at_mut(channels);
            for (c, mean) in mean.iter_mut().enumerate() {
                *mean = saved.mean[c / group];
            }
            self.sums(mean, shares);
            let (plain, weighted) = shares.split_at_mut(channels);
            for g in 0..shape.groups {
                let inverse = inverse_deviation(saved.variance[g], saved.eps);
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
            input_gradient(self.x, self.y, self.dy, &terms, self.masked, dx);
        });
    }

    /// Per channel `Σ g`, then `Σ g·(x − mean)`, in `sums`.
    fn sums(&self, mean: &[f32], sums: &mut [f32]) {
        let channels = mean.len();
        let block = ROWS * channels;
        let blocks = self.x.chunks(block).zip(self.y.chunks(block)).zip(self.dy.chunks(block));
        scratch::with(blocks.len() * 2 * channels, |parts| {
            for (parts, ((x, y), dy)) in parts.chunks_exact_mut(2 * channels).zip(blocks) {
                block_sums(x, y, dy, mean, self.masked, parts);
            }
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = parts.chunks_exact(2 * channels).map(|s| f64::from(s[i])).sum::<f64>() as f32;
            }
        });
    }
}

/// What passes the activation. This way round a NaN output passes, as in PyTorch.
#[inline(always)]
fn pass<const MASKED: bool>(y: f32, dy: f32) -> f32 {
    if MASKED && y <= 0.0 { 0.0 } else { dy }
}

multiversion! {
    fn block_sums(x: &[f32], y: &[f32], dy: &[f32], mean: &[f32], masked: bool, sums: &mut [f32]) {
        if masked {
            sums_of::<true>(x, y, dy, mean, sums);
        } else {
            sums_of::<false>(x, y, dy, mean, sums);
        }
    }

    fn input_gradient(x: &[f32], y: &[f32], dy: &[f32], terms: &Terms, masked: bool, dx: &mut [f32]) {
        if masked {
            gradient_of::<true>(x, y, dy, terms, dx);
        } else {
            gradient_of::<false>(x, y, dy, terms, dx);
        }
    }
}

#[inline(always)]
fn sums_of<const MASKED: bool>(x: &[f32], y: &[f32], dy: &[f32], mean: &[f32], sums: &mut [f32]) {
    let channels = mean.len();
    let (plain, weighted) = sums.split_at_mut(channels);
    let weighted = &mut weighted[..channels];
    plain.fill(0.0);
    weighted.fill(0.0);
    let rows = x.chunks_exact(channels).zip(y.chunks_exact(channels)).zip(dy.chunks_exact(channels));
    for ((x, y), dy) in rows {
        for i in 0..channels {
            let g = pass::<MASKED>(y[i], dy[i]);
            plain[i] += g;
            weighted[i] += g * (x[i] - mean[i]);
        }
    }
}

#[inline(always)]
fn gradient_of<const MASKED: bool>(x: &[f32], y: &[f32], dy: &[f32], terms: &Terms, dx: &mut [f32]) {
    let channels = terms.mean.len();
    let (mean, scale) = (&terms.mean[..channels], &terms.scale[..channels]);
    let (offset, slope) = (&terms.offset[..channels], &terms.slope[..channels]);
    let rows = x.chunks_exact(channels).zip(y.chunks_exact(channels)).zip(dy.chunks_exact(channels));
    for (dx, ((x, y), dy)) in dx.chunks_exact_mut(channels).zip(rows) {
        for i in 0..channels {
            let g = pass::<MASKED>(y[i], dy[i]);
            dx[i] = scale[i] * g - offset[i] - (x[i] - mean[i]) * slope[i];
        }
    }
}
