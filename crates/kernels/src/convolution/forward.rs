use std::ops::Range;

use rayon::prelude::*;

use super::{Conv2dShape, im2col::im2col, plan, winograd};
use crate::ShapeError;
use crate::matmul::{Matrix, MatrixMut, Write, matmul};
use crate::scratch;

/// `y[n,oy,ox,k] = Σ x[n, oy·stride + ky − padding, ox·stride + kx − padding, c] · weight[ky,kx,c,k]`, zeros outside:
/// cross-correlation, what every deep-learning library calls convolution. `x` is `(N, H, W, C_in)`, `weight`
/// `(KH, KW, C_in, C_out)`, `y` `(N, H_out, W_out, C_out)`.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn conv2d_forward(
    shape: &Conv2dShape,
    x: &[f32],
    weight: &[f32],
    y: &mut [f32],
) -> Result<(), ShapeError> {
    shape.expect("conv2d_forward", ("x", x.len()), ("weight", weight.len()), ("y", y.len()))?;
    match plan::forward(shape) {
        plan::Forward::Winograd(tiles, order) => {
            let channels = [shape.in_channels, shape.out_channels];
            winograd::convolve(&tiles, order, x, (weight, winograd::Turn::None), channels, y);
        }
        plan::Forward::Direct | plan::Forward::Im2col => by_windows(shape, x, weight, y),
    }
    Ok(())
}

/// The product of the windows and the weight.
pub(super) fn by_windows(s: &Conv2dShape, x: &[f32], weight: &[f32], y: &mut [f32]) {
    let depth = s.taps() * s.in_channels;
    let weight = Matrix::new(weight, depth, s.out_channels);
    let rows = plan::rows_per_block(s);
    let block_len = rows * s.out_width() * s.out_channels;
    y.par_chunks_mut(block_len).enumerate().for_each(|(block, y)| {
        let pixels = y.len() / s.out_channels;
        let first = block * rows;
        let rows = first..first + pixels / s.out_width();
        with_windows(s, x, rows, |windows| {
            matmul(windows, weight, MatrixMut::new(y, s.out_channels), Write::Overwrite);
        });
    });
}

/// Calls `f` with the windows of the output rows `rows`: a matrix of one row per output pixel.
pub(super) fn with_windows<R>(
    s: &Conv2dShape,
    x: &[f32],
    rows: Range<usize>,
    f: impl FnOnce(Matrix) -> R,
) -> R {
    let pixels = rows.len() * s.out_width();
    let depth = s.taps() * s.in_channels;
    if plan::is_product(s) {
        let first = rows.start * s.out_width();
        return f(Matrix::new(&x[first * depth..(first + pixels) * depth], pixels, depth));
    }
    scratch::with(pixels * depth, |columns| {
        im2col(s, x, rows, columns);
        f(Matrix::new(columns, pixels, depth))
    })
}
