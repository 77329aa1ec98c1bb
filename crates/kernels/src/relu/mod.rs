//! The rectifier, alone and after a residual sum.

pub(crate) mod reference;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::error::{ShapeError, expect_len};
use crate::isa::multiversion;

/// Values of one piece of work: 64 KiB of each operand.
const BLOCK: usize = 16 * 1024;

/// `y = max(x, 0)`; NaN stays NaN.
///
/// # Errors
/// Lengths that differ.
pub fn relu_forward(x: &[f32], y: &mut [f32]) -> Result<(), ShapeError> {
    expect_len("relu_forward", "y", y.len(), x.len())?;
    y.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).for_each(|(y, x)| relu(x, y));
    Ok(())
}

/// `dx = dy` where the output `y` is positive, 0 elsewhere. Also the gradient of [`add_relu_forward`] with respect to
/// either of its operands.
///
/// # Errors
/// Lengths that differ.
pub fn relu_backward(y: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), ShapeError> {
    expect_len("relu_backward", "dy", dy.len(), y.len())?;
    expect_len("relu_backward", "dx", dx.len(), y.len())?;
    let operands = y.par_chunks(BLOCK).zip(dy.par_chunks(BLOCK));
    dx.par_chunks_mut(BLOCK).zip(operands).for_each(|(dx, (y, dy))| mask(y, dy, dx));
    Ok(())
}

/// `y = max(a + b, 0)`; NaN stays NaN.
///
/// # Errors
/// Lengths that differ.
pub fn add_relu_forward(a: &[f32], b: &[f32], y: &mut [f32]) -> Result<(), ShapeError> {
    expect_len("add_relu_forward", "b", b.len(), a.len())?;
    expect_len("add_relu_forward", "y", y.len(), a.len())?;
    let operands = a.par_chunks(BLOCK).zip(b.par_chunks(BLOCK));
    y.par_chunks_mut(BLOCK).zip(operands).for_each(|(y, (a, b))| add_relu(a, b, y));
    Ok(())
}

// The comparisons are this way round so that NaN passes, as in PyTorch.
multiversion! {
    fn relu(x: &[f32], y: &mut [f32]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = if *x <= 0.0 { 0.0 } else { *x });
    }

    fn mask(y: &[f32], dy: &[f32], dx: &mut [f32]) {
        for (dx, (y, dy)) in dx.iter_mut().zip(y.iter().zip(dy)) {
            *dx = if *y <= 0.0 { 0.0 } else { *dy };
        }
    }

    fn add_relu(a: &[f32], b: &[f32], y: &mut [f32]) {
        for (y, (a, b)) in y.iter_mut().zip(a.iter().zip(b)) {
            let sum = a + b;
            *y = if sum <= 0.0 { 0.0 } else { sum };
        }
    }
}
