//! Weights that are made ready once, for many forward passes.

use super::pass::Pass;
use super::scheme::Scheme;
use super::weights::Operand;
use super::{Algorithm, Weight, WithPass, extents, with_pass};
use crate::convolution::Conv2dShape;
use crate::element::Element;
use crate::error::{ShapeError, expect_len};
use crate::fused::{Sink, Source};

/// Values that [`pack_conv2d`] makes of a weight: as many as the weight has or some more if it is used as it is, four times as
/// many in 4×4 tiles (twice in 2×2 ones), nine times at stride 2.
///
/// # Errors
/// The shape is impossible.
pub fn packed_conv2d_len<E: Element>(shape: &Conv2dShape, algorithm: Algorithm) -> Result<usize, ShapeError> {
    shape.checked()?;
    Ok(with_pass(shape, algorithm, Source::<E>::Plain(&[]), Weight::Plain(&[]), Measure))
}

/// A weight `(KH, KW, C_in, C_out)` as forward passes read it: transformed, rounded and put in order once, where
/// [`conv2d`](super::conv2d) does it every time. Worth it where the same weight meets many batches, the more so the smaller these
/// are. The shape's batch does not matter.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it ([`packed_conv2d_len`]).
pub fn pack_conv2d<E: Element>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    weight: &[f32],
    packed: &mut [E],
) -> Result<(), ShapeError> {
    const OP: &str = "pack_conv2d";
    let len = packed_conv2d_len::<E>(shape, algorithm)?;
    expect_len(OP, "weight", weight.len(), shape.weight_len())?;
    expect_len(OP, "packed", packed.len(), len)?;
    E::pack_conv2d(shape, algorithm, weight, packed);
    Ok(())
}

/// [`conv2d`](super::conv2d) with a weight that [`pack_conv2d`] left, of the same shape but for the batch and by the same
/// algorithm. By the same instruction set, the result has the same bits.
///
/// # Errors
/// As [`pack_conv2d`].
pub fn conv2d_packed<E: Element>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    x: Source<E>,
    packed: &[E],
    y: Sink<E>,
) -> Result<(), ShapeError> {
    const OP: &str = "conv2d_packed";
    let (input, output) = extents(shape)?;
    x.check(OP, "x", input.sizes())?;
    expect_len(OP, "packed", packed.len(), packed_conv2d_len::<E>(shape, algorithm)?)?;
    y.check(OP, "y", output.sizes())?;
    E::conv2d(shape, algorithm, x, Weight::Packed(packed), y);
    Ok(())
}

/// [`pack_conv2d`] of checked arguments.
pub(in crate::fused) fn pack<E: Element>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    weight: &[f32],
    packed: &mut [E],
) {
    with_pass(shape, algorithm, Source::Plain(&[]), Weight::Plain(weight), Packing(packed));
}

struct Measure;

impl<E: Element> WithPass<E> for Measure {
    type Output = usize;

    fn with<P: Scheme, O: Operand>(self, pass: Pass<E, P, O>) -> usize {
        pass.packed_len()
    }
}

struct Packing<'a, E>(&'a mut [E]);

impl<E: Element> WithPass<E> for Packing<'_, E> {
    type Output = ();

    fn with<P: Scheme, O: Operand>(self, pass: Pass<E, P, O>) {
        pass.pack(self.0);
    }
}
