//! Weights that are made ready once, for many forward passes.

use super::pass::Pass;
use super::scheme::Scheme;
use super::weights::Operand;
use super::{Algorithm, Weight, WithPass, extents, with_pass};
use crate::convolution::Conv2dShape;
use crate::element::Element;
use crate::error::{ShapeError, expect_len};
use crate::fused::{Sink, Source};
use crate::huge_pages;

/// A convolution's weights as its forward passes read them: transformed, rounded and put in order once, where
/// [`conv2d`](super::conv2d) does it every time. Worth it where the same weights meet many batches, the more so the smaller
/// these are. In 4×4 tiles they take four times the memory of the weights, nine times at stride 2.
#[derive(Debug, Clone, PartialEq)]
pub struct PackedWeights<E> {
    shape: Conv2dShape,
    algorithm: Algorithm,
    values: Vec<E>,
}

impl<E: Element> PackedWeights<E> {
    /// Of `weight`, `(KH, KW, C_in, C_out)`, for images of the shape's size, in batches of any size.
    ///
    /// # Errors
    /// The shape is impossible, or the weight's length does not follow from it.
    pub fn new(shape: &Conv2dShape, algorithm: Algorithm, weight: &[f32]) -> Result<Self, ShapeError> {
        shape.checked()?;
        expect_len("PackedWeights::new", "weight", weight.len(), shape.weight_len())?;
        Ok(Self { shape: *shape, algorithm, values: E::pack(shape, algorithm, weight) })
    }

    /// Of a batch of so many images.
    pub fn shape(&self, batch: usize) -> Conv2dShape {
        Conv2dShape { batch, ..self.shape }
    }
}

/// [`conv2d`](super::conv2d) of `batch` images with weights that are ready. The result has the same bits.
///
/// # Errors
/// A slice's length does not follow from the weights' shape and the batch.
pub fn conv2d_packed<E: Element>(
    batch: usize,
    x: Source<E>,
    weight: &PackedWeights<E>,
    y: Sink<E>,
) -> Result<(), ShapeError> {
    const OP: &str = "conv2d_packed";
    let shape = weight.shape(batch);
    let (input, output) = extents(&shape)?;
    x.check(OP, "x", input.sizes())?;
    y.check(OP, "y", output.sizes())?;
    E::conv2d(&shape, weight.algorithm, x, Weight::Packed(&weight.values), y);
    Ok(())
}

/// [`PackedWeights::new`] of checked arguments.
pub(in crate::fused) fn pack<E: Element>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    weight: &[f32],
) -> Vec<E> {
    with_pass(shape, algorithm, Source::Plain(&[]), Weight::Plain(weight), Packing)
}

struct Packing;

impl<E: Element> WithPass<E> for Packing {
    type Output = Vec<E>;

    fn with<P: Scheme, O: Operand>(self, pass: Pass<E, P, O>) -> Vec<E> {
        let mut packed = huge_pages::vec(E::default(), pass.packed_len());
        pass.pack(&mut packed);
        packed
    }
}
