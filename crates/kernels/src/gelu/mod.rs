//! The Gaussian error linear unit `x·Φ(x)`, Φ the distribution function of the standard normal distribution (Hendrycks &
//! Gimpel 2016, <https://arxiv.org/abs/1606.08415>): the exact one, with the error function, and not its tanh approximation.

mod normal;
pub(crate) mod reference;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::error::{ShapeError, expect_len};
use crate::isa::multiversion;
pub(crate) use normal::Normal;

/// Values of one piece of work: 64 KiB of each operand.
const BLOCK: usize = 16 * 1024;

/// `y = x·Φ(x)`, to within 2e-7 (from 1 on, of `x`). NaN stays NaN; −∞ gives NaN, as in PyTorch.
///
/// # Errors
/// Lengths that differ.
pub fn gelu_forward(x: &[f32], y: &mut [f32]) -> Result<(), ShapeError> {
    expect_len("gelu_forward", "y", y.len(), x.len())?;
    y.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).for_each(|(y, x)| gelu(x, y));
    Ok(())
}

/// `dx = dy·(Φ(x) + x·φ(x))`, φ the density, the factor to within 3e-7.
///
/// # Errors
/// Lengths that differ.
pub fn gelu_backward(x: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), ShapeError> {
    expect_len("gelu_backward", "dy", dy.len(), x.len())?;
    expect_len("gelu_backward", "dx", dx.len(), x.len())?;
    let operands = x.par_chunks(BLOCK).zip(dy.par_chunks(BLOCK));
    dx.par_chunks_mut(BLOCK).zip(operands).for_each(|(dx, (x, dy))| gradient(x, dy, dx));
    Ok(())
}

multiversion! {
    fn gelu(x: &[f32], y: &mut [f32]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x * Normal::at(*x).distribution);
    }

    fn gradient(x: &[f32], dy: &[f32], dx: &mut [f32]) {
        for (dx, (x, dy)) in dx.iter_mut().zip(x.iter().zip(dy)) {
            let normal = Normal::at(*x);
            *dx = dy * (normal.distribution + x * normal.density);
        }
    }
}
