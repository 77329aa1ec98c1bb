//! Convolutions between a source and a sink.

mod blocking;
mod filtering;
mod filters;
mod packed;
mod pass;
mod phases;
mod product;
mod scheme;
mod strided;
mod tiles;
mod way;
mod weight_gradient;
mod weights;
mod window;
mod windows;

use std::marker::PhantomData;

use super::write::SharedSink;
use super::{Extent, Sink, Source, elementwise};
use crate::convolution::Conv2dShape;
use crate::element::Element;
use crate::error::{ShapeError, expect_len};
use crate::scratch;
use crate::simd::LANES;
pub(super) use packed::pack;
pub use packed::{conv2d_packed, pack_conv2d, packed_conv2d_len};
use pass::Pass;
use scheme::Scheme;
use strided::{Strided, StridedFilters, StridedGradient};
use tiles::{Four, Tile, TileFilters, Tiles, Two};
use way::{Way, way};
use weight_gradient::WeightGradient;
use weights::{Operand, Taps, Turn, Weights};
use windows::{Steps, Windows};

/// The most patches that are worked on at once.
const MOST_PATCHES: usize = 256;

/// How a 3×3 convolution is computed; every other one is computed directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// As sums of products.
    Direct,
    /// Winograd's F(2×2, 3×3): 16 products for 4 outputs instead of 36. Stride 1 only.
    Tiles2,
    /// Winograd's F(4×4, 3×3): 36 products for 16 outputs instead of 144. With stride 2 and padding 1, where every second input
    /// meets two of three taps, as F(4, 2) and F(4, 1) along both axes: 81 products.
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
    E::conv2d(shape, algorithm, x, Weight::Plain(weight), y);
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
    E::conv2d_input_gradient(shape, algorithm, dy, weight, dx);
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
    E::conv2d_weight_gradient(shape, algorithm, x, dy, dw);
    Ok(())
}

/// [`conv2d`] of checked arguments.
pub(super) fn forward<E: Element>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    x: Source<E>,
    weight: Weight<E>,
    y: Sink<E>,
) {
    let sink = SharedSink::new(y);
    with_pass(shape, algorithm, x, weight, Run(&sink));
}

/// A convolution's weight, as it is or as [`pack_conv2d`] leaves it.
#[derive(Clone, Copy)]
pub enum Weight<'a, E> {
    /// `(KH, KW, C_in, C_out)`.
    Plain(&'a [f32]),
    /// As passes read it.
    Packed(&'a [E]),
}

/// What is done with a forward pass, whichever it is.
trait WithPass<E> {
    type Output;

    fn with<P: Scheme, O: Operand>(self, pass: Pass<E, P, O>) -> Self::Output;
}

struct Run<'a, 'b, E>(&'a SharedSink<'b, E>);

impl<E: Element> WithPass<E> for Run<'_, '_, E> {
    type Output = ();

    fn with<P: Scheme, O: Operand>(self, pass: Pass<E, P, O>) {
        pass.run(self.0);
    }
}

/// Calls `f` with the forward pass of `x`.
fn with_pass<E: Element, F: WithPass<E>>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    x: Source<E>,
    weight: Weight<E>,
    f: F,
) -> F::Output {
    let (input, output) = sizes(shape);
    let (values, packed) = match weight {
        Weight::Plain(values) => (values, None),
        Weight::Packed(packed) => (&[][..], Some(packed)),
    };
    let weights = Weights::new(shape, values, Turn::None);
    match way(shape, algorithm) {
        Way::Tiles2 => {
            let (scheme, operand) = tiled::<Two>(shape, shape.padding);
            f.with(Pass { scheme, operand, x, input, weights, packed, output })
        }
        Way::Tiles4 => {
            let (scheme, operand) = tiled::<Four>(shape, shape.padding);
            f.with(Pass { scheme, operand, x, input, weights, packed, output })
        }
        Way::Strided => {
            let (scheme, operand) = (strided(shape), StridedFilters::FORWARD);
            f.with(Pass { scheme, operand, x, input, weights, packed, output })
        }
        Way::Direct => {
            let taps: Vec<usize> = (0..shape.taps()).collect();
            with_few_plain(shape, (x, input), |x| {
                let (scheme, operand) = (windows(shape), Taps(&taps));
                f.with(Pass { scheme, operand, x, input, weights, packed, output })
            })
        }
    }
}

/// [`conv2d_input_gradient`] of checked arguments.
pub(super) fn input_gradient<E: Element>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    dy: Source<E>,
    weight: &[f32],
    dx: Sink<E>,
) {
    let (input, output) = sizes(shape);
    let sink = SharedSink::new(dx);
    let weights = Weights::new(shape, weight, Turn::Around);
    // As the forward pass of the output's gradient, with the padding that makes the sizes fit.
    let turned = Conv2dShape { height: shape.out_height(), width: shape.out_width(), ..*shape };
    match way(shape, algorithm) {
        Way::Tiles2 => {
            let (scheme, operand) = tiled::<Two>(&turned, 2 - shape.padding);
            Pass { scheme, operand, x: dy, input: output, weights, packed: None, output: input }.run(&sink);
        }
        Way::Tiles4 => {
            let (scheme, operand) = tiled::<Four>(&turned, 2 - shape.padding);
            Pass { scheme, operand, x: dy, input: output, weights, packed: None, output: input }.run(&sink);
        }
        Way::Strided => {
            let scheme = StridedGradient {
                from: [shape.out_height(), shape.out_width()],
                to: [shape.height, shape.width],
            };
            let operand = StridedFilters::TURNED;
            Pass { scheme, operand, x: dy, input: output, weights, packed: None, output: input }.run(&sink);
        }
        Way::Direct => {
            if shape.taps() == 1 {
                return phases::run(shape, (dy, output), weights, (&sink, input));
            }
            // Each value is read for several taps: worth making once.
            with_plain(dy, output, |dy| phases::run(shape, (dy, output), weights, (&sink, input)));
        }
    }
}

/// [`conv2d_weight_gradient`] of checked arguments.
pub(super) fn weight_gradient<E: Element>(
    shape: &Conv2dShape,
    algorithm: Algorithm,
    x: Source<E>,
    dy: Source<E>,
    dw: &mut [f32],
) {
    let (input, output) = sizes(shape);
    match way(shape, algorithm) {
        Way::Tiles2 => tiled_weight_gradient::<E, Two>(shape, (x, input), (dy, output), dw),
        Way::Tiles4 => tiled_weight_gradient::<E, Four>(shape, (x, input), (dy, output), dw),
        Way::Strided => {
            let scheme = strided(shape);
            WeightGradient { scheme, finish: StridedFilters::FORWARD, x, input, dy, output }
                .run(shape.in_channels, dw);
        }
        Way::Direct => {
            let rows = shape.taps() * shape.in_channels;
            with_few_plain(shape, (x, input), |x| {
                let (scheme, finish) = (windows(shape), weight_gradient::Direct);
                WeightGradient { scheme, finish, x, input, dy, output }.run(rows, dw);
            });
        }
    }
}

fn strided(s: &Conv2dShape) -> Strided {
    Strided { input: [s.height, s.width], output: [s.out_height(), s.out_width()] }
}

/// Of images of the shape's size.
fn tiled<T: Tile>(s: &Conv2dShape, padding: usize) -> (Tiles<T>, TileFilters<T>) {
    let size = [s.height, s.width];
    let scheme = Tiles::new(size, size.map(|side| side + 2 * padding - 2), padding);
    (scheme, TileFilters(PhantomData))
}

fn tiled_weight_gradient<E: Element, T: Tile>(
    s: &Conv2dShape,
    (x, input): (Source<E>, Extent),
    (dy, output): (Source<E>, Extent),
    dw: &mut [f32],
) {
    let (scheme, finish) = tiled::<T>(s, s.padding);
    WeightGradient { scheme, finish, x, input, dy, output }.run(s.in_channels, dw);
}

/// Calls `f` with the source's values in memory.
fn with_plain<E: Element, R>(source: Source<E>, extent: Extent, f: impl FnOnce(Source<E>) -> R) -> R {
    if let Source::Plain(_) = source {
        return f(source);
    }
    scratch::with(extent.len(), |values: &mut [E]| {
        elementwise::run(extent, &[source], Sink::plain(values));
        f(Source::Plain(values))
    })
}

/// [`with_plain`] where several taps read each value and a pixel does not fill a register: several pixels beside each other,
/// of values in memory, are copied at once.
fn with_few_plain<E: Element, R>(
    s: &Conv2dShape,
    (x, input): (Source<E>, Extent),
    f: impl FnOnce(Source<E>) -> R,
) -> R {
    if s.taps() > 1 && s.in_channels < LANES { with_plain(x, input, f) } else { f(x) }
}

fn windows(s: &Conv2dShape) -> Windows<'static> {
    let output = [s.out_height(), s.out_width()];
    Windows {
        input: [s.height, s.width],
        output,
        grid: output,
        at: Steps { first: [0, 0], step: 1 },
        from: Steps { first: [s.padding.wrapping_neg(); 2], step: s.stride },
        size: s.kernel,
        unreached: &[],
    }
}

fn extents(s: &Conv2dShape) -> Result<(Extent, Extent), ShapeError> {
    s.checked()?;
    Ok(sizes(s))
}

fn sizes(s: &Conv2dShape) -> (Extent, Extent) {
    let input = Extent { images: s.batch, pixels: s.height * s.width, channels: s.in_channels };
    let output = Extent { images: s.batch, pixels: s.out_height() * s.out_width(), channels: s.out_channels };
    (input, output)
}
