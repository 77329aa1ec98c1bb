use rayon::prelude::*;

use super::{expect_rows, rows_per_block};
use crate::ShapeError;
use crate::isa::multiversion;
use crate::norm::{
    Activation, NormGradients, NormPass, Rows, Terms, gradient, inverse_deviation, pass, sums,
};
use crate::scratch;

/// The gradients of a batch norm whose statistics are those of `x` itself (training), through the activation.
///
/// With `g = dy` where the activation let it pass and 0 elsewhere, `x̂ = (x − mean) / sqrt(variance + eps)`, `n` rows:
/// `dbias = Σ g`, `dweight = Σ g·x̂`, `dx = weight / sqrt(variance + eps) · (g − dbias/n − x̂·dweight/n)`.
/// `x`, `y`, `dy` and `dx` are `(rows, C)`, the rest `(C)`.
///
/// # Errors
/// No channel, an `x` that is not whole rows, or another slice of the wrong length.
pub fn batch_norm_backward(pass: NormPass, out: NormGradients) -> Result<(), ShapeError> {
    backward("batch_norm_backward", &pass, Statistics::OfTheBatch, out)
}

/// As [`batch_norm_backward`], of a batch norm whose statistics are constants (evaluation):
/// `dx = weight / sqrt(variance + eps) · g`.
///
/// # Errors
/// As there.
pub fn batch_norm_backward_frozen(pass: NormPass, out: NormGradients) -> Result<(), ShapeError> {
    backward("batch_norm_backward_frozen", &pass, Statistics::Constant, out)
}

#[derive(Clone, Copy)]
enum Statistics {
    OfTheBatch,
    Constant,
}

fn backward(
    op: &'static str,
    pass: &NormPass,
    kind: Statistics,
    out: NormGradients,
) -> Result<(), ShapeError> {
    let NormPass { x, statistics, weight, .. } = *pass;
    let channels = statistics.mean.len();
    pass.expect(op, expect_rows(op, x, channels)?, &out)?;
    let NormGradients { dx, dweight, dbias } = out;
    let inverse = |c: usize| inverse_deviation(statistics.variance[c], statistics.eps);
    let rows = Rows::of(pass);
    let block = rows_per_block(channels) * channels;
    scratch::with(x.len().div_ceil(block) * 2 * channels, |parts| {
        parts.par_chunks_mut(2 * channels).enumerate().for_each(|(i, part)| {
            sums(&rows.part(i * block..((i + 1) * block).min(x.len())), statistics.mean, part);
        });
        let sum = |at: usize| parts.chunks_exact(2 * channels).map(|s| f64::from(s[at])).sum::<f64>();
        for c in 0..channels {
            dbias[c] = sum(c) as f32;
            dweight[c] = (sum(channels + c) * f64::from(inverse(c))) as f32;
        }
    });
    let count = (x.len() / channels).max(1) as f32;
    scratch::with(3 * channels, |terms| {
        let (scale, rest) = terms.split_at_mut(channels);
        let (offset, slope) = rest.split_at_mut(channels);
        for c in 0..channels {
            scale[c] = weight[c] * inverse(c);
            offset[c] = scale[c] * (dbias[c] / count);
            slope[c] = scale[c] * (inverse(c) * dweight[c] / count);
        }
        let terms = Terms { mean: statistics.mean, scale, offset, slope };
        dx.par_chunks_mut(block).enumerate().for_each(|(i, dx)| {
            let rows = rows.part(i * block..i * block + dx.len());
            match kind {
                Statistics::OfTheBatch => gradient(&rows, &terms, dx),
                Statistics::Constant => gradient_frozen(&rows, terms.scale, dx),
            }
        });
    });
    Ok(())
}

multiversion! {
    /// `scale · g`.
    fn gradient_frozen(rows: &Rows, scale: &[f32], dx: &mut [f32]) {
        let channels = scale.len();
        let from = rows.y.chunks_exact(channels).zip(rows.dy.chunks_exact(channels));
        for (dx, (y, dy)) in dx.chunks_exact_mut(channels).zip(from) {
            for i in 0..channels {
                let g = match rows.activation {
                    Activation::None => dy[i],
                    Activation::Relu => pass::<true>(y[i], dy[i]),
                };
                dx[i] = scale[i] * g;
            }
        }
    }
}
