use rayon::prelude::*;

use super::{Conv2dShape, forward::by_windows, im2col::col2im, plan, winograd};
use crate::ShapeError;
use crate::matmul::{Matrix, MatrixMut, Write, matmul};
use crate::scratch;

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
        plan::InputGradient::Direct => product(shape, dy, weight, dx),
        plan::InputGradient::Turned(as_forward) => scratch::with(weight.len(), |turned| {
            turn(shape, weight, turned);
            by_windows(&as_forward, dy, turned, dx);
        }),
        plan::InputGradient::Winograd(tiles, order) => {
            let channels = [shape.out_channels, shape.in_channels];
            winograd::convolve(&tiles, order, dy, (weight, winograd::Turn::Half), channels, dx);
        }
        plan::InputGradient::Col2im => windows(shape, dy, weight, dx),
    }
    Ok(())
}

/// `dx = dy · wᵀ` of a 1×1 convolution.
fn product(s: &Conv2dShape, dy: &[f32], weight: &[f32], dx: &mut [f32]) {
    let weight = Matrix::new(weight, s.in_channels, s.out_channels).transposed();
    let pixels = plan::rows_per_block(s) * s.out_width();
    let blocks = dx.par_chunks_mut(pixels * s.in_channels).zip(dy.par_chunks(pixels * s.out_channels));
    blocks.for_each(|(dx, dy)| {
        let dy = Matrix::new(dy, dy.len() / s.out_channels, s.out_channels);
        matmul(dy, weight, MatrixMut::new(dx, s.in_channels), Write::Overwrite);
    });
}

/// `(KH, KW, C_in, C_out)` to `(KH, KW, C_out, C_in)` with both window axes reversed.
fn turn(s: &Conv2dShape, weight: &[f32], turned: &mut [f32]) {
    const TILE: usize = 16; // one cache line of each side
    let (c_in, c_out) = (s.in_channels, s.out_channels);
    let taps = s.taps();
    // Work is handed out in strips of output channels, so that few taps occupy many threads.
    let strip = TILE * c_in;
    turned.par_chunks_mut(c_out * c_in).enumerate().for_each(|(tap, turned)| {
        let from = &weight[(taps - 1 - tap) * c_in * c_out..][..c_in * c_out];
        turned.par_chunks_mut(strip).enumerate().for_each(|(i, turned)| {
            let first = i * TILE;
            let width = turned.len() / c_in;
            for c0 in (0..c_in).step_by(TILE) {
                for k in 0..width {
                    for c in c0..(c0 + TILE).min(c_in) {
                        turned[k * c_in + c] = from[c * c_out + first + k];
                    }
                }
            }
        });
    });
}

/// The gradients of the windows, `dy · wᵀ`, summed back into the image. A block is whole images, so that no two blocks
/// add to the same pixel.
fn windows(s: &Conv2dShape, dy: &[f32], weight: &[f32], dx: &mut [f32]) {
    let depth = s.taps() * s.in_channels;
    let weight = Matrix::new(weight, depth, s.out_channels).transposed();
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
