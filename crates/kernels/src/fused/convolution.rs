//! Convolutions between a source and a sink.

use super::{Extent, Sink, Source, reference};
use crate::convolution::Conv2dShape;
use crate::element::Element;
use crate::error::{ShapeError, expect_len};

/// How a 3×3 convolution of stride 1 is computed; every other one is computed directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// As sums of products.
    Direct,
    /// Winograd's F(2×2, 3×3): 16 products for 4 outputs instead of 36.
    Tiles2,
    /// Winograd's F(4×4, 3×3): 36 products for 16 outputs instead of 144.
    #[default]
    Tiles4,
}

/// [`conv2d_forward`](crate::conv2d_forward) of the source `x`, sent into the sink `y`. `weight` is
/// `(KH, KW, C_in, C_out)`.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn conv2d<E: Element>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    x: Source<E>,
    weight: &[f32],
    y: Sink<E>,
) -> Result<(), ShapeError> {
    const OP: &str = "conv2d";
    let (input, output) = extents(shape)?;
    x.check(OP, "x", input.sizes())?;
    expect_len(OP, "weight", weight.len(), shape.weight_len())?;
    y.check(OP, "y", output.sizes())?;
    let mut values = vec![0.0; output.len()];
    let _ = algorithm;
    crate::conv2d_forward(shape, &reference::values(input, x), weight, &mut values)?;
    reference::finish(output, &values, y);
    Ok(())
}

/// [`conv2d_input_gradient`](crate::conv2d_input_gradient) of the source `dy`, sent into the sink `dx`.
///
/// # Errors
/// As [`conv2d`].
pub fn conv2d_input_gradient<E: Element>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    dy: Source<E>,
    weight: &[f32],
    dx: Sink<E>,
) -> Result<(), ShapeError> {
    const OP: &str = "conv2d_input_gradient";
    let (input, output) = extents(shape)?;
    dy.check(OP, "dy", output.sizes())?;
    expect_len(OP, "weight", weight.len(), shape.weight_len())?;
    dx.check(OP, "dx", input.sizes())?;
    let mut values = vec![0.0; input.len()];
    let _ = algorithm;
    crate::conv2d_input_gradient(shape, &reference::values(output, dy), weight, &mut values)?;
    reference::finish(input, &values, dx);
    Ok(())
}

/// [`conv2d_weight_gradient`](crate::conv2d_weight_gradient) of two sources; `dw` is `(KH, KW, C_in, C_out)`.
///
/// # Errors
/// As [`conv2d`].
pub fn conv2d_weight_gradient<E: Element>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    x: Source<E>,
    dy: Source<E>,
    dw: &mut [f32],
) -> Result<(), ShapeError> {
    const OP: &str = "conv2d_weight_gradient";
    let (input, output) = extents(shape)?;
    x.check(OP, "x", input.sizes())?;
    dy.check(OP, "dy", output.sizes())?;
    expect_len(OP, "dw", dw.len(), shape.weight_len())?;
    let _ = algorithm;
    crate::conv2d_weight_gradient(shape, &reference::values(input, x), &reference::values(output, dy), dw)
}

fn extents(s: &Conv2dShape) -> Result<(Extent, Extent), ShapeError> {
    s.checked()?;
    let input = Extent { images: s.batch, pixels: s.height * s.width, channels: s.in_channels };
    let output = Extent { images: s.batch, pixels: s.out_height() * s.out_width(), channels: s.out_channels };
    Ok((input, output))
}
