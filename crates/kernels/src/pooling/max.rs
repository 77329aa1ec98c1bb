use rayon::prelude::*;

use super::Pool2dShape;
use crate::error::{ShapeError, expect_len};
use crate::isa::multiversion;

/// The maximum of each window: `x` is `(N, H, W, C)`, `y` and `indices` are `(N, H_out, W_out, C)`. `indices` receives the
/// position `h·W + w` of the maximum within its image; of equal ones, the first. As in PyTorch, a NaN is larger than anything,
/// and of several the last counts.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn max_pool2d_forward(
    shape: &Pool2dShape,
    x: &[f32],
    y: &mut [f32],
    indices: &mut [u32],
) -> Result<(), ShapeError> {
    const OP: &str = "max_pool2d_forward";
    shape.checked()?;
    expect_len(OP, "x", x.len(), shape.input_len())?;
    expect_len(OP, "y", y.len(), shape.output_len())?;
    expect_len(OP, "indices", indices.len(), shape.output_len())?;
    let pooled = shape.pooled_len();
    let out = y.par_chunks_mut(pooled).zip(indices.par_chunks_mut(pooled));
    out.zip(x.par_chunks(shape.image_len())).for_each(|((y, indices), x)| {
        for (i, (y, indices)) in
            y.chunks_exact_mut(shape.channels).zip(indices.chunks_exact_mut(shape.channels)).enumerate()
        {
            let (oy, ox) = (i / shape.out_width(), i % shape.out_width());
            let first = oy * shape.stride * shape.width + ox * shape.stride;
            for ky in 0..shape.kernel {
                for kx in 0..shape.kernel {
                    let position = first + ky * shape.width + kx;
                    let x = &x[position * shape.channels..][..shape.channels];
                    // The plane was checked to fit.
                    let position = position as u32;
                    if (ky, kx) == (0, 0) {
                        y.copy_from_slice(x);
                        indices.fill(position);
                    } else {
                        keep_larger(x, position, y, indices);
                    }
                }
            }
        }
    });
    Ok(())
}

multiversion! {
    fn keep_larger(x: &[f32], position: u32, y: &mut [f32], indices: &mut [u32]) {
        for ((y, index), x) in y.iter_mut().zip(indices).zip(x) {
            let larger = *x > *y || x.is_nan();
            *y = if larger { *x } else { *y };
            *index = if larger { position } else { *index };
        }
    }
}

/// The gradient of [`max_pool2d_forward`]: each value of `dy`, `(N, H_out, W_out, C)`, is added to the pixel of `dx`,
/// `(N, H, W, C)`, that `indices` names.
///
/// # Errors
/// The shape is impossible, a slice's length does not follow from it, or an index lies outside the image (`dx` is then
/// partly written).
pub fn max_pool2d_backward(
    shape: &Pool2dShape,
    dy: &[f32],
    indices: &[u32],
    dx: &mut [f32],
) -> Result<(), ShapeError> {
    const OP: &str = "max_pool2d_backward";
    shape.checked()?;
    expect_len(OP, "dy", dy.len(), shape.output_len())?;
    expect_len(OP, "indices", indices.len(), shape.output_len())?;
    expect_len(OP, "dx", dx.len(), shape.input_len())?;
    let (pooled, channels) = (shape.pooled_len(), shape.channels);
    let from = dy.par_chunks(pooled).zip(indices.par_chunks(pooled));
    dx.par_chunks_mut(shape.image_len()).zip(from).enumerate().try_for_each(|(image, (dx, (dy, indices)))| {
        dx.fill(0.0);
        for (i, (dy, index)) in dy.iter().zip(indices).enumerate() {
            let index = *index as usize;
            let Some(dx) = dx.get_mut(index * channels + i % channels) else {
                let below = shape.height * shape.width;
                let at = image * pooled + i;
                return Err(ShapeError::IndexOutOfRange { op: OP, name: "indices", at, below, got: index });
            };
            *dx += dy;
        }
        Ok(())
    })
}
