//! Any convolution as sums of products: a patch is one output pixel, its row the window's pixels tap by tap.
#![allow(unsafe_code)]

use super::scheme::{Along, Emit, Make, Patch, Patches, Rows, Scheme, Sums, fill_rows, sixteens};
use crate::element::Element;
use crate::fused::read::{Channels, Reader, WithReader};
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
    /// Makes the rows of inputs that are there as they are.
    fn copy<E: Element>(&self, x: &[E], channels: usize, patches: Patches, rows: Rows<E>) {
        for (row, patch) in rows.data.chunks_mut(rows.row).zip(patches) {
            let (values, rest) = row.split_at_mut(self.taps.len() * channels);
            for (values, tap) in values.chunks_exact_mut(channels).zip(self.taps) {
                match self.input_pixel(patch, *tap) {
                    OUTSIDE => values.fill(E::default()),
                    pixel => values.copy_from_slice(&x[pixel * channels..][..channels]),
                }
            }
            // The second value of the last factor, perhaps.
            if let Some(next) = rest.first_mut() {
                *next = E::default();
            }
        }
    }

    /// The place of a patch's output among all pixels of the batch.
    #[inline(always)]
    fn output_pixel(&self, patch: Patch) -> usize {
        let [y, x] = self.at.at(patch.at);
        (patch.image * self.output[0] + y) * self.output[1] + x
    }

    /// The place of a tap of a patch's window among all pixels of the batch, [`OUTSIDE`] where it is not in the image.
    #[inline(always)]
    fn input_pixel(&self, patch: Patch, tap: [usize; 2]) -> usize {
        let [y, x] = self.from.at(patch.at);
        let (y, x) = (y.wrapping_add(tap[0]), x.wrapping_add(tap[1]));
        let inside = y < self.input[0] && x < self.input[1];
        if inside { (patch.image * self.input[0] + y) * self.input[1] + x } else { OUTSIDE }
    }
}

impl Scheme for Windows<'_> {
    fn grid(&self) -> [usize; 2] {
        self.grid
    }

    fn rows(&self) -> usize {
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
    fn gather<S: Simd, E: Element>(
        &self,
        s: S,
        x: &Source<E>,
        input: Extent,
        patches: Patches,
        along: Along,
        mut rows: Rows<E>,
    ) {
        if let (Source::Plain(x), Along::Channels) = (x, along) {
            return self.copy(x, input.channels, patches, rows);
        }
        // Tap by tap, so that what a register stores beyond a tap's channels is overwritten by the next tap.
        for (number, tap) in self.taps.iter().enumerate() {
            let mut places = [OUTSIDE; MOST];
            for (place, patch) in places.iter_mut().zip(patches) {
                *place = self.input_pixel(patch, *tap);
            }
            let places = &places[..patches.len()];
            for channels in sixteens(input.channels) {
                let at = number * input.channels + channels.first;
                let what = ReadPixels { places, channels, patches, along, at, rows: &mut rows };
                x.reader(s, patches.first().image, channels, what);
            }
        }
    }

    #[inline(always)]
    fn gather_outputs<S: Simd, E: Element>(
        &self,
        s: S,
        dy: &Source<E>,
        output: Extent,
        patches: Patches,
        mut rows: Rows<E>,
    ) {
        let mut places = [OUTSIDE; MOST];
        for (place, patch) in places.iter_mut().zip(patches) {
            *place = self.output_pixel(patch);
        }
        let places = &places[..patches.len()];
        for channels in sixteens(output.channels) {
            let (along, at) = (Along::Patches, channels.first);
            let what = ReadPixels { places, channels, patches, along, at, rows: &mut rows };
            dy.reader(s, patches.first().image, channels, what);
        }
    }

    #[inline(always)]
    unsafe fn scatter<S: Simd, E: Element>(
        &self,
        s: S,
        sums: Sums,
        patches: Patches,
        channels: Channels,
        sink: &SharedSink<E>,
    ) {
        let what = WritePixels { windows: self, sums, patches, channels };
        // SAFETY: the caller's promise.
        unsafe { sink.writer(s, patches.first().image, channels, what) }
    }
}

/// The place of a pixel that is not there.
const OUTSIDE: usize = usize::MAX;

/// The most patches of a block.
const MOST: usize = super::MOST_PATCHES;

/// A pixel for each patch.
struct ReadPixels<'a, 'b, E> {
    places: &'a [usize],
    channels: Channels,
    patches: Patches,
    along: Along,
    at: usize,
    rows: &'a mut Rows<'b, E>,
}

impl<S: Simd, E: Element> WithReader<S> for ReadPixels<'_, '_, E> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { places, channels, patches, along, at, rows } = self;
        fill_rows(s, patches, (along, 1, at), rows, Read { places, channels, reader });
    }
}

struct Read<'a, R> {
    places: &'a [usize],
    channels: Channels,
    reader: R,
}

impl<S: Simd, R: Reader<S>> Make<S> for Read<'_, R> {
    #[inline(always)]
    fn make<M: Emit<S>>(&mut self, s: S, t: usize, patch: Patch, mut emit: M) {
        let v = if self.places[t] == OUTSIDE {
            s.splat(0.0)
        } else {
            self.reader.turn_to(s, patch.image);
            let at = self.places[t] * self.channels.of + self.channels.first;
            assert!(at + self.channels.lanes <= self.reader.len(), "a pixel beyond its tensor");
            // SAFETY: as just asserted.
            unsafe {
                if self.channels.lanes == LANES {
                    self.reader.read(s, at)
                } else {
                    self.reader.read_some(s, at)
                }
            }
        };
        // SAFETY: one value for the one row.
        unsafe { emit.emit(s, v) };
    }
}

struct WritePixels<'a> {
    windows: &'a Windows<'a>,
    sums: Sums<'a>,
    patches: Patches,
    channels: Channels,
}

impl<S: Simd> WithWriter<S> for WritePixels<'_> {
    #[inline(always)]
    fn with<W: Writer<S>>(self, s: S, writer: &mut W) {
        let Self { windows, sums, patches, channels } = self;
        for (t, patch) in patches.enumerate() {
            writer.turn_to(s, patch.image);
            if let Some(lanes) = sums.data[t * sums.patch..].first_chunk() {
                let at = windows.output_pixel(patch) * channels.of + channels.first;
                assert!(at + channels.lanes <= writer.len(), "a pixel beyond its tensor");
                // SAFETY: as just asserted.
                unsafe { writer.write(s, at, s.load(lanes)) };
            }
        }
    }
}
