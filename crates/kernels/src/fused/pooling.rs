//! Pooling between a source and a sink.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // lanes are vectorised by their numbers

use rayon::prelude::*;

use super::elementwise::{AddTo, Pixels, Write, sixteens};
use super::read::{Reader, WithReader};
use super::shared::Shared;
use super::write::SharedSink;
use super::{Extent, Sink, Source};
use crate::element::Element;
use crate::element::private::Sealed;
use crate::error::{ShapeError, expect_len, expect_positive, volume};
use crate::isa::{Kernel, dispatch};
use crate::pooling::Pool2dShape;
use crate::scratch;
use crate::simd::{LANES, Simd};

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

/// [`max_pool2d`] of checked arguments.
pub(super) fn forward<E: Element>(s: &Pool2dShape, x: Source<E>, indices: Option<&mut [u8]>, y: Sink<E>) {
    let (input, output) = sizes(s);
    if output.len() == 0 {
        return;
    }
    let (sink, indices) = (SharedSink::new(y), indices.map(Shared::new));
    (0..s.batch).into_par_iter().for_each(|image| {
        scratch::with(input.pixels * LANES, |values: &mut [f32]| {
            dispatch(Forward { shape: s, x: &x, image, values, indices, sink: &sink });
        });
    });
}

/// [`max_pool2d_gradient`] of checked arguments.
pub(super) fn gradient<E: Element>(s: &Pool2dShape, dy: Source<E>, indices: &[u8], dx: Sink<E>) {
    let (input, _) = sizes(s);
    if input.len() == 0 {
        return;
    }
    let sink = SharedSink::new(dx);
    (0..s.batch).into_par_iter().for_each(|image| {
        scratch::with(input.pixels * LANES, |values: &mut [f32]| {
            dispatch(Backward { shape: s, dy: &dy, image, values, indices, sink: &sink });
        });
    });
}

/// [`global_avg_pool2d`] of checked arguments.
pub(super) fn mean<E: Element>(extent: Extent, x: Source<E>, y: &mut [f32]) {
    y.par_chunks_mut(extent.channels).enumerate().for_each(|(image, y)| {
        dispatch(Mean { extent, image, x: &x, y });
    });
}

struct Forward<'a, 'b, E> {
    shape: &'a Pool2dShape,
    x: &'a Source<'b, E>,
    image: usize,
    /// The image's values, of sixteen channels at a time.
    values: &'a mut [f32],
    indices: Option<Shared<'b, u8>>,
    sink: &'a SharedSink<'b, E>,
}

impl<E: Element> Kernel for Forward<'_, '_, E> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { shape, x, image, values, indices, sink } = self;
        let (input, output) = sizes(shape);
        let values = lines(values, input.pixels);
        let width = shape.out_width();
        let mut maxima = [s.splat(0.0); AT_ONCE];
        for channels in sixteens(input.channels) {
            let pixels = Pixels { first: image * input.pixels, channels };
            x.reader(s, image, channels, Read { pixels, values });
            for first in (0..output.pixels).step_by(AT_ONCE) {
                let count = AT_ONCE.min(output.pixels - first);
                for (i, maximum) in maxima[..count].iter_mut().enumerate() {
                    let (oy, ox) = ((first + i) / width, (first + i) % width);
                    let (mut most, mut places) = ([0f32; LANES], [0u8; LANES]);
                    for place in 0..shape.kernel * shape.kernel {
                        let (y, x) = (
                            oy * shape.stride + place / shape.kernel,
                            ox * shape.stride + place % shape.kernel,
                        );
                        let value = &values[y * shape.width + x];
                        for lane in 0..LANES {
                            let larger = place == 0 || value[lane] > most[lane] || value[lane].is_nan();
                            most[lane] = if larger { value[lane] } else { most[lane] };
                            places[lane] = if larger { place as u8 } else { places[lane] };
                        }
                    }
                    *maximum = s.load(&most);
                    if let Some(indices) = indices {
                        let at = ((image * output.pixels) + first + i) * channels.of + channels.first;
                        // SAFETY: a task has its image to itself.
                        unsafe { indices.part(at, channels.lanes) }
                            .copy_from_slice(&places[..channels.lanes]);
                    }
                }
                let pixels = Pixels { first: image * output.pixels + first, channels };
                // SAFETY: as above.
                unsafe { sink.writer(s, image, channels, Write { pixels, values: &maxima[..count] }) }
            }
        }
    }
}

struct Backward<'a, 'b, E> {
    shape: &'a Pool2dShape,
    dy: &'a Source<'b, E>,
    image: usize,
    /// The image's gradients, of sixteen channels at a time.
    values: &'a mut [f32],
    indices: &'a [u8],
    sink: &'a SharedSink<'b, E>,
}

impl<E: Element> Kernel for Backward<'_, '_, E> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { shape, dy, image, values, indices, sink } = self;
        let (input, output) = sizes(shape);
        let values = lines(values, input.pixels);
        let width = shape.out_width();
        let mut lanes = [s.splat(0.0); AT_ONCE];
        for channels in sixteens(input.channels) {
            values.fill([0.0; LANES]);
            for first in (0..output.pixels).step_by(AT_ONCE) {
                let sums = &mut lanes[..AT_ONCE.min(output.pixels - first)];
                sums.fill(s.splat(0.0));
                let pixels = Pixels { first: image * output.pixels + first, channels };
                dy.reader(s, image, channels, AddTo { pixels, sums });
                for (i, gradient) in sums.iter().enumerate() {
                    let (oy, ox) = ((first + i) / width, (first + i) % width);
                    let places = &indices[pixels.at(i)..][..channels.lanes];
                    let mut of = [0.0; LANES];
                    s.store(*gradient, &mut of);
                    for (lane, place) in places.iter().enumerate() {
                        let place = usize::from(*place);
                        let y = oy * shape.stride + place / shape.kernel;
                        let x = ox * shape.stride + place % shape.kernel;
                        values[y * shape.width + x][lane] += of[lane];
                    }
                }
            }
            for first in (0..input.pixels).step_by(AT_ONCE) {
                let count = AT_ONCE.min(input.pixels - first);
                for (lanes, values) in lanes.iter_mut().zip(&values[first..first + count]) {
                    *lanes = s.load(values);
                }
                let pixels = Pixels { first: image * input.pixels + first, channels };
                // SAFETY: a task has its image to itself.
                unsafe { sink.writer(s, image, channels, Write { pixels, values: &lanes[..count] }) }
            }
        }
    }
}

struct Mean<'a, 'b, E> {
    extent: Extent,
    image: usize,
    x: &'a Source<'b, E>,
    y: &'a mut [f32],
}

impl<E: Element> Kernel for Mean<'_, '_, E> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { extent, image, x, y } = self;
        for channels in sixteens(extent.channels) {
            let mut sum = [s.splat(0.0)];
            for pixel in 0..extent.pixels {
                let pixels = Pixels { first: image * extent.pixels + pixel, channels };
                x.reader(s, image, channels, AddTo { pixels, sums: &mut sum });
            }
            let mean = s.scaled(1.0 / extent.pixels as f32, sum[0]);
            f32::store_first(s, mean, &mut y[channels.first..][..channels.lanes]);
        }
    }
}

/// Pixels between a pool and its sink at a time.
const AT_ONCE: usize = 32;

/// Room for sixteen channels of `pixels` pixels.
fn lines(values: &mut [f32], pixels: usize) -> &mut [[f32; LANES]] {
    let (lines, _) = values.as_chunks_mut();
    &mut lines[..pixels]
}

/// Keeps each pixel's value.
struct Read<'a> {
    pixels: Pixels,
    values: &'a mut [[f32; LANES]],
}

impl<S: Simd> WithReader<S> for Read<'_> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { pixels, values } = self;
        for (i, value) in values.iter_mut().enumerate() {
            let at = pixels.at(i);
            assert!(at + pixels.channels.lanes <= reader.len(), "pixels beyond their tensor");
            // SAFETY: as just asserted.
            s.store(unsafe { reader.read_some(s, at) }, value);
        }
    }
}
