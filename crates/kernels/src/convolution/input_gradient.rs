use rayon::prelude::*;

use super::{Conv2dShape, forward::by_windows, im2col::col2im, plan, winograd};
use crate::ShapeError;
use crate::matmul::{Matrix, MatrixMut, Write, matmul};
use crate::scratch;
use crate::transpose::transpose;

/// The gradient of [`conv2d_forward`](crate::conv2d_forward) with respect to its input: `dy` is
/// `(N, H_out, W_out, C_out)`, `weight` `(KH, KW, C_in, C_out)`, `dx` `(N, H, W, C_in)`.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn conv2d_input_gradient(
    shape: &Conv2dShape,
    dy: &[f32],
    weight: &[f32],
    dx: &mut [f32],
) -> Result<(), ShapeError> {
    shape.expect("conv2d_input_gradient", ("dx", dx.len()), ("weight", weight.len()), ("dy", dy.len()))?;
    match plan::input_gradient(shape) {
        plan::InputGradient::Direct => scratch::with(weight.len(), |transposed| {
            transpose(weight, shape.out_channels, transposed);
            product(shape, dy, transposed, dx);
        }),
        plan::InputGradient::Turned(as_forward) => scratch::with(weight.len(), |turned| {
            turn(shape, weight, turned);
            by_windows(&as_forward, dy, turned, dx);
        }),
        plan::InputGradient::Winograd(tiles, order) => {
            let channels = [shape.out_channels, shape.in_channels];
            winograd::convolve(&tiles, order, dy, (weight, winograd::Turn::Half), channels, dx);
        }
        plan::InputGradient::Col2im => scratch::with(weight.len(), |transposed| {
            transpose(weight, shape.out_channels, transposed);
            windows(shape, dy, transposed, dx);
        }),
    }
    Ok(())
}

/// `dx = dy · wᵀ` of a 1×1 convolution. (The weight is transposed once, or each block would do it while packing.)
fn product(s: &Conv2dShape, dy: &[f32], transposed: &[f32], dx: &mut [f32]) {
    let weight = Matrix::new(transposed, s.out_channels, s.in_channels);
    let pixels = plan::rows_per_block(s) * s.out_width();
    let blocks = dx.par_chunks_mut(pixels * s.in_channels).zip(dy.par_chunks(pixels * s.out_channels));
    blocks.for_each(|(dx, dy)| {
        let dy = Matrix::new(dy, dy.len() / s.out_channels, s.out_channels);
        matmul(dy, weight, MatrixMut::new(dx, s.in_channels), Write::Overwrite);
    });
}

/// `(KH, KW, C_in, C_out)` to `(KH, KW, C_out, C_in)` with both window axes reversed.
fn turn(s: &Conv2dShape, weight: &[f32], turned: &mut [f32]) {
    let tap = s.in_channels * s.out_channels;
    for (from, to) in weight.chunks_exact(tap).rev().zip(turned.chunks_exact_mut(tap)) {
        transpose(from, s.out_channels, to);
    }
}

/// The gradients of the windows, `dy · wᵀ`, summed back into the image. A block is whole images, so that no two blocks
/// add to the same pixel.
fn windows(s: &Conv2dShape, dy: &[f32], transposed: &[f32], dx: &mut [f32]) {
    let depth = s.taps() * s.in_channels;
    let weight = Matrix::new(transposed, s.out_channels, depth);
    let rows_at_once = plan::rows_per_block(s);
    let images = rows_at_once.div_ceil(s.out_height());
    let row_len = s.out_width() * s.out_channels;
    let blocks = dx
        .par_chunks_mut(images * s.height * s.width * s.in_channels)
        .zip(dy.par_chunks(images * s.out_height() * row_len));
    blocks.for_each(|(dx, dy)| {
        dx.fill(0.0);
        for (i, dy) in dy.chunks(rows_at_once * row_len).enumerate() {
            let pixels = dy.len() / s.out_channels;
            scratch::with(pixels * depth, |columns| {
                matmul(
                    Matrix::new(dy, pixels, s.out_channels),
                    weight,
                    MatrixMut::new(columns, depth),
                    Write::Overwrite,
                );
                let first = i * rows_at_once;
                col2im(s, columns, first..first + pixels / s.out_width(), dx);
            });
        }
    });
}
