//! Pooling between a source and a sink.

mod max;
mod max_gradient;
mod mean;

pub(super) use max::forward;
pub(super) use max_gradient::gradient;
pub(super) use mean::mean;

use super::{Extent, Sink, Source};
use crate::element::Element;
use crate::error::{ShapeError, expect_len, expect_positive, volume};
use crate::pooling::Pool2dShape;

/// The maximum of each window: of `(N, H, W, C)`, `(N, H_out, W_out, C)`. `indices`, of the output's size, receives where
/// in its window the maximum is, `ky·kernel + kx`; of equal ones, the first. As in PyTorch, a NaN is larger than anything,
/// and of several the last counts.
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
/// As there, or an index is no place of a window.
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
    let below = shape.kernel * shape.kernel;
    let largest = indices.iter().fold(0, |largest, index| (*index).max(largest)); // which is vectorised
    if usize::from(largest) >= below {
        let at = indices.iter().position(|index| *index == largest).unwrap_or_default();
        let got = usize::from(largest);
        return Err(ShapeError::IndexOutOfRange { op: OP, name: "indices", at, below, got });
    }
    E::max_pool2d_gradient(shape, dy, indices, dx);
    Ok(())
}

/// The mean over the pixels of each image: `y` is `(N, C)`. (Its gradient is [`Source::Spread`] of the output's gradient
/// divided by the number of pixels.)
///
/// # Errors
/// `extent` has no pixels or no channels, there cannot be so many values, or a slice's length does not follow from it.
pub fn global_avg_pool2d<E: Element>(extent: Extent, x: Source<E>, y: &mut [f32]) -> Result<(), ShapeError> {
    const OP: &str = "global_avg_pool2d";
    expect_positive(OP, &[("pixels", extent.pixels), ("channels", extent.channels)])?;
    volume(OP, "x", &extent.sizes())?;
    x.check(OP, "x", extent.sizes())?;
    expect_len(OP, "y", y.len(), extent.images * extent.channels)?;
    E::global_avg_pool2d(extent, x, y);
    Ok(())
}

/// The side of the largest window: a place in it is a byte.
const MOST_KERNEL: usize = 16;

/// The input's and the output's sizes.
fn check(op: &'static str, shape: &Pool2dShape) -> Result<(Extent, Extent), ShapeError> {
    let shape = shape.checked()?;
    if shape.kernel > MOST_KERNEL {
        return Err(ShapeError::TooLarge { op, name: "kernel", most: MOST_KERNEL, got: shape.kernel });
    }
    Ok(sizes(&shape))
}

fn sizes(s: &Pool2dShape) -> (Extent, Extent) {
    let input = Extent { images: s.batch, pixels: s.height * s.width, channels: s.channels };
    (input, Extent { pixels: s.out_height() * s.out_width(), ..input })
}

/// Pixels between a pool and its sink at a time.
const AT_ONCE: usize = 32;
