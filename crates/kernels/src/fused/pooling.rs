//! Pooling between a source and a sink.

use super::{Extent, Sink, Source, reference};
use crate::element::Element;
use crate::error::{ShapeError, expect_len, expect_positive};
use crate::pooling::Pool2dShape;

/// The maximum of each window: of `(N, H, W, C)`, `(N, H_out, W_out, C)`. `indices`, of the output's size, receives where
/// in its window the maximum is, `ky·kernel + kx`; of equal ones, the first. As in PyTorch, a NaN is larger than anything.
///
/// # Errors
/// The shape is impossible, a window has more than 256 places, or a slice's length does not follow from it.
pub fn max_pool2d<E: Element>(
    shape: &Pool2dShape,
    x: Source<E>,
    indices: Option<&mut [u8]>,
    y: Sink<E>,
) -> Result<(), ShapeError> {
    const OP: &str = "max_pool2d";
    let (input, output) = check(OP, shape)?;
    x.check(OP, "x", input.sizes())?;
    y.check(OP, "y", output.sizes())?;
    if let Some(indices) = &indices {
        expect_len(OP, "indices", indices.len(), shape.output_len())?;
    }
    E::max_pool2d(shape, x, indices, y);
    Ok(())
}

/// The gradient of [`max_pool2d`]'s input, `(N, H, W, C)`, from that of its output and its `indices`.
///
/// # Errors
/// As there.
pub fn max_pool2d_gradient<E: Element>(
    shape: &Pool2dShape,
    dy: Source<E>,
    indices: &[u8],
    dx: Sink<E>,
) -> Result<(), ShapeError> {
    const OP: &str = "max_pool2d_gradient";
    let (input, output) = check(OP, shape)?;
    dy.check(OP, "dy", output.sizes())?;
    dx.check(OP, "dx", input.sizes())?;
    expect_len(OP, "indices", indices.len(), shape.output_len())?;
    E::max_pool2d_gradient(shape, dy, indices, dx);
    Ok(())
}

/// The mean over the pixels of each image: `y` is `(N, C)`. (Its gradient is [`Source::Spread`] of the output's gradient
/// divided by the number of pixels.)
///
/// # Errors
/// A slice's length does not follow from `extent`, or it has no pixels.
pub fn global_avg_pool2d<E: Element>(extent: Extent, x: Source<E>, y: &mut [f32]) -> Result<(), ShapeError> {
    const OP: &str = "global_avg_pool2d";
    expect_positive(OP, &[("pixels", extent.pixels), ("channels", extent.channels)])?;
    x.check(OP, "x", extent.sizes())?;
    expect_len(OP, "y", y.len(), extent.images * extent.channels)?;
    E::global_avg_pool2d(extent, x, y);
    Ok(())
}

/// The input's and the output's sizes.
fn check(op: &'static str, shape: &Pool2dShape) -> Result<(Extent, Extent), ShapeError> {
    let shape = shape.checked()?;
    if shape.kernel > 16 {
        return Err(ShapeError::Overflow { op, name: "indices" });
    }
    Ok(sizes(&shape))
}

fn sizes(s: &Pool2dShape) -> (Extent, Extent) {
    let input = Extent { images: s.batch, pixels: s.height * s.width, channels: s.channels };
    (input, Extent { pixels: s.out_height() * s.out_width(), ..input })
}

/// [`max_pool2d`] of checked arguments.
pub(super) fn forward<E: Element>(s: &Pool2dShape, x: Source<E>, indices: Option<&mut [u8]>, y: Sink<E>) {
    reference::max_pool2d(s, sizes(s), x, indices, y);
}

/// [`max_pool2d_gradient`] of checked arguments.
pub(super) fn gradient<E: Element>(s: &Pool2dShape, dy: Source<E>, indices: &[u8], dx: Sink<E>) {
    reference::max_pool2d_gradient(s, sizes(s), dy, indices, dx);
}

/// [`global_avg_pool2d`] of checked arguments.
pub(super) fn mean<E: Element>(extent: Extent, x: Source<E>, y: &mut [f32]) {
    reference::global_avg_pool2d(extent, x, y);
}
