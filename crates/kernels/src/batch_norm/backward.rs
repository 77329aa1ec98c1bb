use rayon::prelude::*;

use super::{Activation, BackwardLengths, BatchNormSaved, expect_rows, inverse_deviation, rows_per_block};
use crate::ShapeError;
use crate::isa::multiversion;
use crate::scratch;

/// The gradients of a batch norm whose statistics are those of `x` itself (training), through the activation.
///
/// With `g = dy` where the activation let it pass and 0 elsewhere, `x̂ = (x − mean) / sqrt(variance + eps)`, `n` rows:
/// `dbias = Σ g`, `dweight = Σ g·x̂`, `dx = weight / sqrt(variance + eps) · (g − dbias/n − x̂·dweight/n)`.
/// `x`, `y` (the output; not read, and may be empty, where there is no activation), `dy` and `dx` are `(rows, C)`, the
/// rest `(C)`.
///
/// # Errors
/// No channel, an `x` that is not whole rows, or another slice of the wrong length.
#[expect(clippy::too_many_arguments, reason = "the tensors of the formula")]
pub fn batch_norm_backward(
    x: &[f32],
    y: &[f32],
    dy: &[f32],
    saved: BatchNormSaved,
    weight: &[f32],
    activation: Activation,
    dx: &mut [f32],
    dweight: &mut [f32],
    dbias: &mut [f32],
) -> Result<(), ShapeError> {
    let out = Gradients { dx, dweight, dbias };
    backward("batch_norm_backward", x, y, dy, saved, weight, activation, Statistics::OfTheBatch, out)
}

/// As [`batch_norm_backward`], of a batch norm whose statistics are constants (evaluation):
/// `dx = weight / sqrt(variance + eps) · g`.
///
/// # Errors
/// As there.
#[expect(clippy::too_many_arguments, reason = "the tensors of the formula")]
pub fn batch_norm_backward_frozen(
    x: &[f32],
    y: &[f32],
    dy: &[f32],
    saved: BatchNormSaved,
    weight: &[f32],
    activation: Activation,
    dx: &mut [f32],
    dweight: &mut [f32],
    dbias: &mut [f32],
) -> Result<(), ShapeError> {
    let out = Gradients { dx, dweight, dbias };
    backward("batch_norm_backward_frozen", x, y, dy, saved, weight, activation, Statistics::Constant, out)
}

struct Gradients<'a> {
    dx: &'a mut [f32],
    dweight: &'a mut [f32],
    dbias: &'a mut [f32],
}

#[derive(Clone, Copy)]
enum Statistics {
    OfTheBatch,
    Constant,
}

#[expect(clippy::too_many_arguments, reason = "the tensors of the formula")]
fn backward(
    op: &'static str,
    x: &[f32],
    y: &[f32],
    dy: &[f32],
    saved: BatchNormSaved,
    weight: &[f32],
    activation: Activation,
    statistics: Statistics,
    out: Gradients,
) -> Result<(), ShapeError> {
    let channels = saved.mean.len();
    expect_rows(op, x, channels)?;
    BackwardLengths {
        x: x.len(),
        y: y.len(),
        dy: dy.len(),
        weight: weight.len(),
        dx: out.dx.len(),
        dweight: out.dweight.len(),
        dbias: out.dbias.len(),
    }
    .expect(op, &saved, activation)?;
    // Without an activation nothing is masked; any slice of the right length does.
    let (y, masked) = match activation {
        Activation::None => (dy, false),
        Activation::Relu => (y, true),
    };
    let block = rows_per_block(channels) * channels;
    scratch::with(x.len().div_ceil(block) * 2 * channels, |sums| {
        sums.par_chunks_mut(2 * channels).enumerate().for_each(|(i, sums)| {
            let range = i * block..((i + 1) * block).min(x.len());
            block_sums(&x[range.clone()], &y[range.clone()], &dy[range], saved.mean, masked, sums);
        });
        let sum = |at: usize| sums.chunks_exact(2 * channels).map(|s| f64::from(s[at])).sum::<f64>();
        for c in 0..channels {
            out.dbias[c] = sum(c) as f32;
            out.dweight[c] =
                (sum(channels + c) * f64::from(inverse_deviation(saved.variance[c], saved.eps))) as f32;
        }
    });
    let rows = (x.len() / channels).max(1) as f32;
    scratch::with(3 * channels, |terms| {
        let (scale, rest) = terms.split_at_mut(channels);
        let (offset, slope) = rest.split_at_mut(channels);
        for c in 0..channels {
            let inverse = inverse_deviation(saved.variance[c], saved.eps);
            scale[c] = weight[c] * inverse;
            offset[c] = out.dbias[c] / rows;
            slope[c] = inverse * out.dweight[c] / rows;
        }
        let terms = Terms { mean: saved.mean, scale, offset, slope };
        out.dx.par_chunks_mut(block).enumerate().for_each(|(i, dx)| {
            let range = i * block..i * block + dx.len();
            let (x, y, dy) = (&x[range.clone()], &y[range.clone()], &dy[range]);
            match statistics {
                Statistics::OfTheBatch => block_gradient(x, y, dy, &terms, masked, dx),
                Statistics::Constant => block_gradient_frozen(y, dy, terms.scale, masked, dx),
            }
        });
    });
    Ok(())
}

/// Per channel: `dx = scale · (g − offset − (x − mean)·slope)`.
struct Terms<'a> {
    mean: &'a [f32],
    scale: &'a [f32],
    offset: &'a [f32],
    slope: &'a [f32],
}

/// What passes the activation. This way round a NaN output passes, as in PyTorch.
#[inline(always)]
fn pass<const MASKED: bool>(y: f32, dy: f32) -> f32 {
    if MASKED && y <= 0.0 { 0.0 } else { dy }
}

multiversion! {
    /// `Σ g` and `Σ g·(x − mean)` over a block of rows, one after the other in `sums`.
    fn block_sums(x: &[f32], y: &[f32], dy: &[f32], mean: &[f32], masked: bool, sums: &mut [f32]) {
        if masked {
            sums_of::<true>(x, y, dy, mean, sums);
        } else {
            sums_of::<false>(x, y, dy, mean, sums);
        }
    }

    fn block_gradient(x: &[f32], y: &[f32], dy: &[f32], terms: &Terms, masked: bool, dx: &mut [f32]) {
        if masked {
            gradient_of::<true>(x, y, dy, terms, dx);
        } else {
            gradient_of::<false>(x, y, dy, terms, dx);
        }
    }

    fn block_gradient_frozen(y: &[f32], dy: &[f32], scale: &[f32], masked: bool, dx: &mut [f32]) {
        let channels = scale.len();
        let rows = y.chunks_exact(channels).zip(dy.chunks_exact(channels));
        for (dx, (y, dy)) in dx.chunks_exact_mut(channels).zip(rows) {
            for i in 0..channels {
                let g = if masked { pass::<true>(y[i], dy[i]) } else { dy[i] };
                dx[i] = scale[i] * g;
            }
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
    let pairs = || x.chunks(2 * channels).zip(y.chunks(2 * channels)).zip(dy.chunks(2 * channels));
    for ((x, y), dy) in pairs() {
        if x.len() == 2 * channels {
            let ((xa, xb), (ya, yb)) = (x.split_at(channels), y.split_at(channels));
            let (da, db) = dy.split_at(channels);
            let (xb, yb, db) = (&xb[..channels], &yb[..channels], &db[..channels]);
            for i in 0..channels {
                let (ga, gb) = (pass::<MASKED>(ya[i], da[i]), pass::<MASKED>(yb[i], db[i]));
                plain[i] += ga + gb;
                weighted[i] += ga * (xa[i] - mean[i]) + gb * (xb[i] - mean[i]);
            }
        } else {
            for i in 0..channels {
                let g = pass::<MASKED>(y[i], dy[i]);
                plain[i] += g;
                weighted[i] += g * (x[i] - mean[i]);
            }
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
            dx[i] = scale[i] * (g - offset[i] - (x[i] - mean[i]) * slope[i]);
        }
    }
}
