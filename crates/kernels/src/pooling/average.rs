use rayon::prelude::*;

use super::Pool2dShape;
use crate::error::{ShapeError, expect_len};
use crate::isa::multiversion;

/// The mean of each window: `x` is `(N, H, W, C)`, `y` `(N, H_out, W_out, C)`.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn avg_pool2d_forward(shape: &Pool2dShape, x: &[f32], y: &mut [f32]) -> Result<(), ShapeError> {
    const OP: &str = "avg_pool2d_forward";
    shape.checked()?;
    expect_len(OP, "x", x.len(), shape.input_len())?;
    expect_len(OP, "y", y.len(), shape.output_len())?;
    let images = y.par_chunks_mut(shape.pooled_len()).zip(x.par_chunks(shape.image_len()));
    images.for_each(|(y, x)| {
        for (i, y) in y.chunks_exact_mut(shape.channels).enumerate() {
            y.fill(0.0);
            for_each_pixel(shape, i, |pixel| add(&x[pixel..pixel + shape.channels], 1.0, y));
            let share = share(shape);
            y.iter_mut().for_each(|y| *y *= share);
        }
    });
    Ok(())
}

/// The gradient of [`avg_pool2d_forward`]: each value of `dy`, `(N, H_out, W_out, C)`, is shared out evenly among its
/// window in `dx`, `(N, H, W, C)`.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn avg_pool2d_backward(shape: &Pool2dShape, dy: &[f32], dx: &mut [f32]) -> Result<(), ShapeError> {
    const OP: &str = "avg_pool2d_backward";
    shape.checked()?;
    expect_len(OP, "dy", dy.len(), shape.output_len())?;
    expect_len(OP, "dx", dx.len(), shape.input_len())?;
    let images = dx.par_chunks_mut(shape.image_len()).zip(dy.par_chunks(shape.pooled_len()));
    images.for_each(|(dx, dy)| {
        dx.fill(0.0);
        for (i, dy) in dy.chunks_exact(shape.channels).enumerate() {
            for_each_pixel(shape, i, |pixel| add(dy, share(shape), &mut dx[pixel..pixel + shape.channels]));
        }
    });
    Ok(())
}

fn share(shape: &Pool2dShape) -> f32 {
    1.0 / (shape.kernel * shape.kernel) as f32
}

/// The offsets, within an image, of the pixels in window `i`.
fn for_each_pixel(shape: &Pool2dShape, i: usize, mut f: impl FnMut(usize)) {
    let (oy, ox) = (i / shape.out_width(), i % shape.out_width());
    for ky in 0..shape.kernel {
        for kx in 0..shape.kernel {
            f(((oy * shape.stride + ky) * shape.width + ox * shape.stride + kx) * shape.channels);
        }
    }
}

multiversion! {
    fn add(from: &[f32], factor: f32, to: &mut [f32]) {
        to.iter_mut().zip(from).for_each(|(t, f)| *t += f * factor);
    }
}
