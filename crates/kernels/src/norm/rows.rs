use std::ops::Range;

use rayon::prelude::*;

use super::{Activation, NormPass};
use crate::isa::multiversion;
use crate::scratch;

/// Rows of an image summed in f32 before the sums are widened to f64. A fixed number, so that sums depend on the shape alone.
pub(crate) const ROWS: usize = 128;

/// Rows of a norm's tensors, one value a channel in each.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) y: &'a [f32],
    pub(crate) dy: &'a [f32],
    /// After ReLU, `dy` counts only where `y` is positive.
    pub(crate) activation: Activation,
}

impl<'a> Rows<'a> {
    pub(crate) fn of(pass: &NormPass<'a>) -> Self {
        let &NormPass { x, y, dy, activation, .. } = pass;
        // Where `y` is not looked at, any slice of the right length does.
        let y = if activation == Activation::Relu { y } else { dy };
        Self { x, y, dy, activation }
    }

    /// The rows whose values these are.
    pub(crate) fn part(&self, values: Range<usize>) -> Self {
        let &Self { x, y, dy, activation } = self;
        Self { x: &x[values.clone()], y: &y[values.clone()], dy: &dy[values], activation }
    }
}

/// Per channel: `dx = scale·g − offset − (x − mean)·slope`, where `g` is what passes the activation.
pub(crate) struct Terms<'a> {
    pub(crate) mean: &'a [f32],
    pub(crate) scale: &'a [f32],
    pub(crate) offset: &'a [f32],
    pub(crate) slope: &'a [f32],
}

/// What passes the activation. This way round a NaN output passes, as in PyTorch.
#[inline(always)]
pub(crate) fn pass<const MASKED: bool>(y: f32, dy: f32) -> f32 {
    if MASKED && y <= 0.0 { 0.0 } else { dy }
}

multiversion! {
    /// `(x − mean)·scale + bias`, but at least `floor`.
    pub(crate) fn normalise(x: &[f32], mean: &[f32], scale: &[f32], bias: &[f32], floor: f32, y: &mut [f32]) {
        let channels = mean.len();
        let (scale, bias) = (&scale[..channels], &bias[..channels]);
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for i in 0..channels {
                // The mean is taken off first: folded into the bias, it would cost the digits it is larger by.
                let v = (x[i] - mean[i]) * scale[i] + bias[i];
                // This way round NaN passes.
                y[i] = if v <= floor { floor } else { v };
            }
        }
    }

    /// `Σ g` and `Σ g·(x − mean)` over the rows, one after the other in `sums`.
    pub(crate) fn sums(rows: &Rows, mean: &[f32], sums: &mut [f32]) {
        match rows.activation {
            Activation::None => sums_of::<false>(rows, mean, sums),
            Activation::Relu => sums_of::<true>(rows, mean, sums),
        }
    }

    /// The gradient of the input.
    pub(crate) fn gradient(rows: &Rows, terms: &Terms, dx: &mut [f32]) {
        match rows.activation {
            Activation::None => gradient_of::<false>(rows, terms, dx),
            Activation::Relu => gradient_of::<true>(rows, terms, dx),
        }
    }
}

/// [`sums`] over the rows of one image, in blocks that are added in f64.
pub(crate) fn image_sums(rows: &Rows, mean: &[f32], totals: &mut [f32]) {
    let (channels, values) = (mean.len(), rows.x.len());
    let block = ROWS * channels;
    scratch::with(values.div_ceil(block) * 2 * channels, |parts| {
        for (i, part) in parts.chunks_exact_mut(2 * channels).enumerate() {
            sums(&rows.part(i * block..((i + 1) * block).min(values)), mean, part);
        }
        for (i, sum) in totals.iter_mut().enumerate() {
            *sum = parts.chunks_exact(2 * channels).map(|s| f64::from(s[i])).sum::<f64>() as f32;
        }
    });
}

/// Adds what each image has left, `(N, 2, C)`, in the images' order: the first rows in `dbias`, the second in `dweight`.
pub(crate) fn add_shares(shares: &[f32], dbias: &mut [f32], dweight: &mut [f32]) {
    /// Channels that a thread adds at a time.
    const CHANNELS: usize = 1024;
    let channels = dbias.len();
    let sum = |at: usize| shares.chunks_exact(2 * channels).map(|s| f64::from(s[at])).sum::<f64>() as f32;
    let sums = dbias.par_chunks_mut(CHANNELS).zip(dweight.par_chunks_mut(CHANNELS)).enumerate();
    sums.for_each(|(i, (dbias, dweight))| {
        for (c, (dbias, dweight)) in dbias.iter_mut().zip(dweight).enumerate() {
            *dbias = sum(i * CHANNELS + c);
            *dweight = sum(channels + i * CHANNELS + c);
        }
    });
}

#[inline(always)]
fn sums_of<const MASKED: bool>(rows: &Rows, mean: &[f32], sums: &mut [f32]) {
    let channels = mean.len();
    let (plain, weighted) = sums.split_at_mut(channels);
    let weighted = &mut weighted[..channels];
    plain.fill(0.0);
    weighted.fill(0.0);
    // Two rows at a time: half the passes over the sums.
    let pairs =
        rows.x.chunks(2 * channels).zip(rows.y.chunks(2 * channels)).zip(rows.dy.chunks(2 * channels));
    for ((x, y), dy) in pairs {
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
fn gradient_of<const MASKED: bool>(rows: &Rows, terms: &Terms, dx: &mut [f32]) {
    let channels = terms.mean.len();
    let (mean, scale) = (&terms.mean[..channels], &terms.scale[..channels]);
    let (offset, slope) = (&terms.offset[..channels], &terms.slope[..channels]);
    let from = rows.x.chunks_exact(channels).zip(rows.y.chunks_exact(channels));
    let from = from.zip(rows.dy.chunks_exact(channels));
    for (dx, ((x, y), dy)) in dx.chunks_exact_mut(channels).zip(from) {
        for i in 0..channels {
            let g = pass::<MASKED>(y[i], dy[i]);
            dx[i] = scale[i] * g - offset[i] - (x[i] - mean[i]) * slope[i];
        }
    }
}
