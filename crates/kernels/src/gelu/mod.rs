//! The Gaussian error linear unit `x·Φ(x)`, Φ the distribution function of the standard normal distribution (Hendrycks &
//! Gimpel 2016, <https://arxiv.org/abs/1606.08415>): the exact one, with the error function, and not its tanh approximation.

mod normal;
pub(crate) mod reference;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::error::{ShapeError, expect_len};
use crate::isa::{Kernel, dispatch};
use crate::simd::{LANES, Simd};
pub(crate) use normal::Normal;

/// Values of one piece of work: 64 KiB of each operand.
const BLOCK: usize = 16 * 1024;

/// `y = x·Φ(x)`, to within 2e-7 (from 1 on, of `x`). NaN stays NaN; −∞ gives NaN, as in PyTorch.
///
/// # Errors
/// Lengths that differ.
pub fn gelu_forward(x: &[f32], y: &mut [f32]) -> Result<(), ShapeError> {
    expect_len("gelu_forward", "y", y.len(), x.len())?;
    y.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).for_each(|(y, x)| dispatch(Gelu { x, y }));
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
    dx.par_chunks_mut(BLOCK).zip(operands).for_each(|(dx, (x, dy))| dispatch(Gradient { x, dy, dx }));
    Ok(())
}

struct Gelu<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Gelu<'_> {
    type Output = ();
    const BF16: bool = false;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (y, x) in self.y.chunks_mut(LANES).zip(self.x.chunks(LANES)) {
            let x = s.load_first(x);
            s.store_first(s.mul(x, Normal::at(s, x).distribution), y);
        }
    }
}

struct Gradient<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for Gradient<'_> {
    type Output = ();
    const BF16: bool = false;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let operands = self.x.chunks(LANES).zip(self.dy.chunks(LANES));
        for (dx, (x, dy)) in self.dx.chunks_mut(LANES).zip(operands) {
            let (x, dy) = (s.load_first(x), s.load_first(dy));
            let normal = Normal::at(s, x);
            s.store_first(s.mul(dy, s.mul_add(x, normal.density, normal.distribution)), dx);
        }
    }
}
