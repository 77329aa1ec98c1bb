//! Two-dimensional convolution and its two gradients, of plain f32 slices: [`fused`] passes without a fusion.

pub(crate) mod reference;
mod shape;

use crate::ShapeError;
use crate::fused::{self, Algorithm, Sink, Source};

pub use shape::Conv2dShape;

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
    fused::conv2d(shape, forward_algorithm(shape), Source::Plain(x), weight, Sink::plain(y))
}

/// The gradient of [`conv2d_forward`] with respect to its input: `dy` is `(N, H_out, W_out, C_out)`, `weight`
/// `(KH, KW, C_in, C_out)`, `dx` `(N, H, W, C_in)`.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn conv2d_input_gradient(
    shape: &Conv2dShape,
    dy: &[f32],
    weight: &[f32],
    dx: &mut [f32],
) -> Result<(), ShapeError> {
    fused::conv2d_input_gradient(shape, Algorithm::Tiles4, Source::Plain(dy), weight, Sink::plain(dx))
}

/// The gradient of [`conv2d_forward`] with respect to its weight: `x` is `(N, H, W, C_in)`, `dy`
/// `(N, H_out, W_out, C_out)`, `dw` `(KH, KW, C_in, C_out)`. All zeros for an empty batch.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn conv2d_weight_gradient(
    shape: &Conv2dShape,
    x: &[f32],
    dy: &[f32],
    dw: &mut [f32],
) -> Result<(), ShapeError> {
    fused::conv2d_weight_gradient(shape, Algorithm::Tiles4, Source::Plain(x), Source::Plain(dy), dw)
}

/// Output pixels of a batch from which on a forward pass may be computed in tiles.
///
/// Tiles round some five times as much as direct sums (1.5e-6 to 0.3e-6 of the rms, 256 channels), and so turn more ReLUs that
/// stand near zero the other way. Over few pixels a single one of them shows in a weight's gradient, over many it does not, and
/// there is the time to gain. Gradients are linear in their inputs: no such step.
const MANY_PIXELS: usize = 8192;

fn forward_algorithm(shape: &Conv2dShape) -> Algorithm {
    // An impossible shape, whose pixels may not even be countable, is refused by either.
    let pixels = shape.checked().map_or(0, |s| s.out_pixels());
    if pixels >= MANY_PIXELS { Algorithm::Tiles4 } else { Algorithm::Direct }
}
