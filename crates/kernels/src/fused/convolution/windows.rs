//! Any convolution as sums of products: a patch is one output pixel, its row the window's pixels tap by tap.

use super::scheme::{Emit, Keep, Pair, Patch, Products, Row, Scheme, Store};
use crate::element::Element;
use crate::fused::read::{Reader, WithReader};
use crate::fused::write::{SharedSink, WithWriter, Writer};
use crate::fused::{Extent, Source};
use crate::simd::{LANES, Simd};

/// Output pixels in steps over an image, and the windows of input pixels that belong to them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows<'a> {
    /// Rows and columns of the input.
    pub(super) input: [usize; 2],
    /// Rows and columns of the output.
    pub(super) output: [usize; 2],
    /// Rows and columns of outputs computed.
    pub(super) grid: [usize; 2],
    /// Which outputs: the first, and the step to the next.
    pub(super) at: Steps,
    /// Where a window begins: at the first, and the step to the next.
    pub(super) from: Steps,
    /// A window's pixels, in rows and columns after its beginning (wrapped around where before it).
    pub(super) taps: &'a [[usize; 2]],
}

/// A row of places, the same along both axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) first: [usize; 2],
    pub(super) step: usize,
}

impl Steps {
    #[inline(always)]
    fn at(&self, [y, x]: [usize; 2]) -> [usize; 2] {
        [self.first[0] + y * self.step, self.first[1] + x * self.step]
    }
}

impl Windows<'_> {
    #[inline(always)]
    fn pixel(&self, number: usize) -> [usize; 2] {
        [number / self.grid[1], number % self.grid[1]]
    }

    /// The place of a patch's output, in channels of a tensor with one.
    #[inline(always)]
    fn output_pixel(&self, patch: Patch) -> usize {
        let [y, x] = self.at.at(self.pixel(patch.number));
        (patch.image * self.output[0] + y) * self.output[1] + x
    }

    /// The place of a tap of a patch's window, if it is in the image.
    #[inline(always)]
    fn input_pixel(&self, patch: Patch, tap: [usize; 2]) -> Option<usize> {
        let [y, x] = self.from.at(self.pixel(patch.number));
        let (y, x) = (y.wrapping_add(tap[0]), x.wrapping_add(tap[1]));
        let inside = y < self.input[0] && x < self.input[1];
        inside.then(|| (patch.image * self.input[0] + y) * self.input[1] + x)
    }
}

impl Scheme for Windows<'_> {
    fn patches(&self) -> usize {
        self.grid[0] * self.grid[1]
    }

    fn products(&self) -> usize {
        1
    }

    fn row_len(&self, channels: usize) -> usize {
        // Whole registers are stored, the last of which may begin at the last channel.
        (self.taps.len() * channels + LANES - 1).next_multiple_of(LANES)
    }

    fn most_patches(&self) -> usize {
        112
    }

    #[inline(always)]
    fn gather<S: Simd, E: Element>(&self, s: S, x: &Source<E>, input: Extent, patch: Patch, row: Row<E>) {
        // Tap by tap, so that what a register stores beyond a tap's channels is overwritten by the next tap.
        for (tap, offset) in self.taps.iter().enumerate() {
            let pixel = self.input_pixel(patch, *offset);
            for channel in (0..input.channels).step_by(LANES) {
                let at = tap * input.channels + channel;
                let emit = Store { data: &mut *row.data, product: 0, at };
                read(s, x, input, (patch.image, pixel), channel, emit);
            }
        }
    }

    #[inline(always)]
    fn gather_across<S: Simd, E: Element>(
        &self,
        s: S,
        x: &Source<E>,
        input: Extent,
        patches: [Option<Patch>; 2],
        row: Row<E>,
    ) {
        for (tap, offset) in self.taps.iter().enumerate() {
            let pixels = patches.map(|p| p.map(|p| (p.image, self.input_pixel(p, *offset))));
            for channel in (0..input.channels).step_by(LANES) {
                let at = (tap * input.channels + channel) * E::PAIR;
                read_across(s, x, input, pixels, channel, (&mut *row.data, at));
            }
        }
    }

    #[inline(always)]
    fn gather_outputs<S: Simd, E: Element>(
        &self,
        s: S,
        dy: &Source<E>,
        output: Extent,
        patches: [Option<Patch>; 2],
        row: Row<E>,
    ) {
        let pixels = patches.map(|p| p.map(|p| (p.image, Some(self.output_pixel(p)))));
        for channel in (0..output.channels).step_by(LANES) {
            read_across(s, dy, output, pixels, channel, (&mut *row.data, channel * E::PAIR));
        }
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn scatter<S: Simd, E: Element>(
        &self,
        s: S,
        products: Products,
        output: Extent,
        patch: Patch,
        (channel, lanes): (usize, usize),
        sink: &SharedSink<E>,
    ) {
        let at = self.output_pixel(patch) * output.channels + channel;
        // SAFETY: the caller's promise.
        unsafe {
            sink.writer(s, output, (patch.image, channel, lanes), WritePixel { data: products.data, at })
        }
    }
}

/// An image and a pixel's place, if it is in the image.
type Pixel = (usize, Option<usize>);

#[inline(always)]
fn read<S: Simd, E: Element>(
    s: S,
    x: &Source<E>,
    extent: Extent,
    (image, pixel): Pixel,
    channel: usize,
    mut emit: impl Emit<S>,
) {
    let lanes = LANES.min(extent.channels - channel);
    match pixel {
        None => emit.emit(s, 0, s.splat(0.0)),
        Some(pixel) => {
            let at = pixel * extent.channels + channel;
            x.reader(s, extent, (image, channel, lanes), ReadPixel { at, lanes, emit });
        }
    }
}

#[inline(always)]
fn read_across<S: Simd, E: Element>(
    s: S,
    x: &Source<E>,
    extent: Extent,
    pixels: [Option<Pixel>; 2],
    channel: usize,
    (data, at): (&mut [E], usize),
) {
    let [Some(first), second] = pixels else { return };
    if E::PAIR == 1 {
        return read(s, x, extent, first, channel, Store { data, product: 0, at });
    }
    let mut kept = [s.splat(0.0); 36];
    read(s, x, extent, first, channel, Keep(&mut kept));
    let nowhere = (first.0, None);
    let pair = Pair { first: &kept, data, product: 0, at };
    read(s, x, extent, second.unwrap_or(nowhere), channel, pair);
}

struct ReadPixel<M> {
    at: usize,
    lanes: usize,
    emit: M,
}

impl<S: Simd, M: Emit<S>> WithReader<S> for ReadPixel<M> {
    #[inline(always)]
    fn with<R: Reader<S>>(mut self, s: S, reader: R) {
        let v = reader.read_some(s, self.at, self.lanes);
        self.emit.emit(s, 0, v);
    }
}

struct WritePixel<'a> {
    data: &'a [f32],
    at: usize,
}

impl<S: Simd> WithWriter<S> for WritePixel<'_> {
    #[inline(always)]
    fn with<W: Writer<S>>(self, s: S, writer: &mut W) {
        if let Some(lanes) = self.data.first_chunk() {
            writer.write(s, self.at, s.load(lanes));
        }
    }
}
