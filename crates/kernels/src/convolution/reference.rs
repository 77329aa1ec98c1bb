//! The definition, in plain loops.

use super::Conv2dShape;
use crate::ShapeError;

/// As [`conv2d_forward`](crate::conv2d_forward), slowly.
///
/// # Errors
/// As there.
pub fn conv2d_forward(
    shape: &Conv2dShape,
    x: &[f32],
    weight: &[f32],
    y: &mut [f32],
) -> Result<(), ShapeError> {
    shape.expect("conv2d_forward", ("x", x.len()), ("weight", weight.len()), ("y", y.len()))?;
    y.fill(0.0);
    for_each_product(shape, |i, w, o| y[o] += x[i] * weight[w]);
    Ok(())
}

/// As [`conv2d_input_gradient`](crate::conv2d_input_gradient), slowly.
///
/// # Errors
/// As there.
pub fn conv2d_input_gradient(
    shape: &Conv2dShape,
    dy: &[f32],
    weight: &[f32],
    dx: &mut [f32],
) -> Result<(), ShapeError> {
    shape.expect("conv2d_input_gradient", ("dx", dx.len()), ("weight", weight.len()), ("dy", dy.len()))?;
    dx.fill(0.0);
    for_each_product(shape, |i, w, o| dx[i] += dy[o] * weight[w]);
    Ok(())
}

/// As [`conv2d_weight_gradient`](crate::conv2d_weight_gradient), slowly.
///
/// # Errors
/// As there.
pub fn conv2d_weight_gradient(
    shape: &Conv2dShape,
    x: &[f32],
    dy: &[f32],
    dw: &mut [f32],
) -> Result<(), ShapeError> {
    shape.expect("conv2d_weight_gradient", ("x", x.len()), ("dw", dw.len()), ("dy", dy.len()))?;
    dw.fill(0.0);
    for_each_product(shape, |i, w, o| dw[w] += x[i] * dy[o]);
    Ok(())
}

/// Calls `f` with the places in input, weight and output of every product that a convolution sums.
pub fn for_each_product(s: &Conv2dShape, mut f: impl FnMut(usize, usize, usize)) {
    for n in 0..s.batch {
        for oy in 0..s.out_height() {
            for ox in 0..s.out_width() {
                for ky in 0..s.kernel[0] {
                    for kx in 0..s.kernel[1] {
                        // In padded coordinates, so that nothing is negative.
                        let (py, px) = (oy * s.stride + ky, ox * s.stride + kx);
                        let inside = (s.padding..s.padding + s.height).contains(&py)
                            && (s.padding..s.padding + s.width).contains(&px);
                        if !inside {
                            continue;
                        }
                        let input =
                            ((n * s.height + py - s.padding) * s.width + px - s.padding) * s.in_channels;
                        let weight = (ky * s.kernel[1] + kx) * s.in_channels;
                        let output = ((n * s.out_height() + oy) * s.out_width() + ox) * s.out_channels;
                        for c in 0..s.in_channels {
                            for k in 0..s.out_channels {
                                f(input + c, (weight + c) * s.out_channels + k, output + k);
                            }
                        }
                    }
                }
            }
        }
    }
}
