//! A bias per channel, for layers that no normalisation follows.

pub(crate) mod reference;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::error::{ShapeError, expect_len, expect_positive};
use crate::isa::multiversion;
use crate::scratch;

/// Values of one piece of work, at most some 64 KiB and 1024 rows, whose f32 sums lose little. Not dependent on the threads.
fn block(channels: usize) -> usize {
    (16 * 1024 / channels).clamp(1, 1024) * channels
}

/// `y = x + bias`: `x` and `y` are `(rows, C)`, `bias` is `(C)`.
///
/// # Errors
/// No channel, an `x` that is not whole rows, a `y` of another length.
pub fn bias_forward(x: &[f32], bias: &[f32], y: &mut [f32]) -> Result<(), ShapeError> {
    const OP: &str = "bias_forward";
    expect_rows(OP, "x", x, bias.len())?;
    expect_len(OP, "y", y.len(), x.len())?;
    let block = block(bias.len());
    y.par_chunks_mut(block).zip(x.par_chunks(block)).for_each(|(y, x)| add(x, bias, y));
    Ok(())
}

/// `dbias = Σ dy` over the rows. (The gradient of `x` is `dy` itself.)
///
/// # Errors
/// No channel, a `dy` that is not whole rows.
pub fn bias_backward(dy: &[f32], dbias: &mut [f32]) -> Result<(), ShapeError> {
    const OP: &str = "bias_backward";
    let channels = dbias.len();
    expect_rows(OP, "dy", dy, channels)?;
    let block = block(channels);
    scratch::with(dy.len().div_ceil(block) * channels, |sums| {
        sums.par_chunks_mut(channels).zip(dy.par_chunks(block)).for_each(|(sums, dy)| sum(dy, sums));
        for (c, dbias) in dbias.iter_mut().enumerate() {
            *dbias = sums.iter().skip(c).step_by(channels).map(|v| f64::from(*v)).sum::<f64>() as f32;
        }
    });
    Ok(())
}

fn expect_rows(op: &'static str, name: &'static str, x: &[f32], channels: usize) -> Result<(), ShapeError> {
    expect_positive(op, &[("channels", channels)])?;
    if x.len().is_multiple_of(channels) {
        Ok(())
    } else {
        Err(ShapeError::NotAMultiple { op, name, of: channels, got: x.len() })
    }
}

multiversion! {
    fn add(x: &[f32], bias: &[f32], y: &mut [f32]) {
        for (y, x) in y.chunks_exact_mut(bias.len()).zip(x.chunks_exact(bias.len())) {
            for i in 0..bias.len() {
                y[i] = x[i] + bias[i];
            }
        }
    }

    fn sum(dy: &[f32], sums: &mut [f32]) {
        sums.fill(0.0);
        for row in dy.chunks_exact(sums.len()) {
            sums.iter_mut().zip(row).for_each(|(s, v)| *s += v);
        }
    }
}
