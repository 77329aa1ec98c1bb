//! Any convolution as sums of products: a patch is one output pixel, its row the window's pixels tap by tap.
#![allow(unsafe_code)]

use std::ops::Range;

use super::scheme::{
    Adjoint, Along, Emit, Make, Patch, Patches, Rows, Scheme, Sums, fill_rows, portion, sixteens,
};
use crate::element::Element;
use crate::fused::read::{Channels, Reader, WithReader, load};
use crate::fused::write::{SharedSink, WithWriter, Writer};
use crate::fused::{Extent, Source};
use crate::prefetch::Region;
use crate::simd::{LANES, Simd};

/// Output pixels in steps over an image, and the windows of input pixels that belong to them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows<'a> {
    /// Rows and columns of the input.
    pub(super) input: [usize; 2],
    /// Rows and columns of the output.
    pub(super) output: [usize; 2],
    /// Rows and columns of patches; those whose output lies beyond the last row or column have none.
    pub(super) grid: [usize; 2],
    /// Which outputs: the first, and the step to the next.
    pub(super) at: Steps,
    /// Where a window begins: at the first (wrapped around where before the image), and the step to the next.
    pub(super) from: Steps,
    /// Rows and columns of a window.
    pub(super) size: [usize; 2],
    /// Outputs that no window belongs to, in rows and columns after `at.step` times the patch's own: zeros, which its patch
    /// writes as well.
    pub(super) unreached: &'a [[usize; 2]],
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
        [self.first[0].wrapping_add(y * self.step), self.first[1].wrapping_add(x * self.step)]
    }
}

impl Windows<'_> {
    /// Pixels of a window.
    fn taps(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Makes the row of a patch from inputs that are there as they are. What follows its values may become anything.
    #[inline(always)]
    fn copy<E: Element>(&self, x: &[E], channels: usize, patch: Patch, row: &mut [E]) {
        let ([rows, columns], [height, width]) = (self.size, self.input);
        let [y, left] = self.from.at(patch.at);
        // The window's columns before the image, in it, and after it.
        let before = if left < width { 0 } else { left.wrapping_neg().min(columns) };
        let left = left.wrapping_add(before);
        let inside = if left < width { (columns - before).min(width - left) } else { 0 };
        for (i, row_at) in (0..rows).map(|i| (i, i * columns * channels)) {
            let y = y.wrapping_add(i);
            let (first, count) = if y < height { (before, inside) } else { (0, 0) };
            if count < columns {
                row[row_at..][..columns * channels].fill(E::default());
            }
            if count > 0 {
                let from = ((patch.image * height + y) * width + left) * channels;
                copy_values(x, from, row, row_at + first * channels, count * channels);
                if first + count < columns {
                    row[row_at + (first + count) * channels..row_at + columns * channels].fill(E::default());
                }
            }
        }
    }

    /// Makes the rows of inputs that are there as they are, a row a patch.
    #[inline(always)]
    fn copy_all<E: Element>(&self, (x, channels): (&[E], usize), patches: Patches, rows: Rows<E>) {
        let len = self.taps() * channels;
        for (row, patch) in rows.data.chunks_mut(rows.row).zip(patches) {
            self.copy(x, channels, patch, row);
            // The second value of the last factor, perhaps.
            if let Some(next) = row.get_mut(len) {
                *next = E::default();
            }
        }
    }

    /// The same, a row for two patches, of up to [`SHORT`] values each.
    #[inline(always)]
    fn copy_pairs<S: Simd, E: Element>(
        &self,
        s: S,
        (x, channels): (&[E], usize),
        mut patches: Patches,
        rows: Rows<E>,
    ) {
        let (mut first, mut second) = ([E::default(); SHORT], [E::default(); SHORT]);
        for row in rows.data.chunks_mut(rows.row) {
            let Some(patch) = patches.next() else { return };
            self.copy(x, channels, patch, &mut first);
            match patches.next() {
                Some(patch) => self.copy(x, channels, patch, &mut second),
                None => second.fill(E::default()),
            }
            for at in (0..self.taps() * channels).step_by(LANES) {
                let (a, b) = (load(s, &first, at), load(s, &second, at));
                E::store_factors(s, a, b, &mut row[at * E::PAIR..]);
            }
        }
    }

    /// The place of a patch's output among all pixels of the batch.
    #[inline(always)]
    fn output_pixel(&self, patch: Patch) -> usize {
        let [y, x] = self.at.at(patch.at);
        (patch.image * self.output[0] + y) * self.output[1] + x
    }

    /// The place of a pixel of a patch's window among all pixels of the batch, [`OUTSIDE`] where it is not in the image.
    #[inline(always)]
    fn input_pixel(&self, patch: Patch, tap: usize) -> usize {
        let [y, x] = self.from.at(patch.at);
        let (y, x) = (y.wrapping_add(tap / self.size[1]), x.wrapping_add(tap % self.size[1]));
        let inside = y < self.input[0] && x < self.input[1];
        if inside { (patch.image * self.input[0] + y) * self.input[1] + x } else { OUTSIDE }
    }
}

/// Copies `len` values from number `from` of `x` to number `to` of `row`, and some more where both have them: whole registers.
#[inline(always)]
fn copy_values<E: Element>(x: &[E], from: usize, row: &mut [E], to: usize, len: usize) {
    for i in (0..len).step_by(LANES) {
        match (x[from + i..].first_chunk::<LANES>(), row[to + i..].first_chunk_mut()) {
            (Some(from), Some(to)) => *to = *from,
            _ => row[to + i..to + len].copy_from_slice(&x[from + i..from + len]),
        }
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
        (self.taps() * channels + LANES - 1).next_multiple_of(LANES)
    }

    fn most_patches(&self) -> usize {
        112
    }

    fn reads(&self, patches: &Range<usize>, input: Extent) -> Region {
        let ([rows, columns], row) = (self.grid, self.input[1] * input.channels);
        if self.size[0] >= self.from.step || self.input[0] != rows * self.from.step {
            return portion(patches, self.patches(), input);
        }
        // Not the rows between the windows'. A grid's row that others have begun, they have asked for.
        let lines = patches.start.div_ceil(columns)..patches.end.div_ceil(columns);
        let (len, step) = (self.size[0] * row, self.from.step * row);
        Region { first: lines.start * step, len, step, runs: lines.len() }
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
        if let Source::Plain(x) = *x {
            if along == Along::Channels || E::PAIR == 1 {
                return self.copy_all((x, input.channels), patches, rows);
            } else if self.row_len(input.channels) <= SHORT {
                return self.copy_pairs(s, (x, input.channels), patches, rows);
            }
        }
        // Tap by tap, so that what a register stores beyond a tap's channels is overwritten by the next tap.
        for tap in 0..self.taps() {
            let mut places = [OUTSIDE; MOST];
            for (place, patch) in places.iter_mut().zip(patches) {
                *place = self.input_pixel(patch, tap);
            }
            let places = &places[..patches.len()];
            for channels in sixteens(input.channels) {
                let at = tap * input.channels + channels.first;
                let what = ReadPixels { places, channels, patches, along, at, rows: &mut rows };
                x.reader(s, patches.first().image, channels, what);
            }
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

impl Adjoint for Windows<'_> {
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
}

/// The place of a pixel that is not there.
const OUTSIDE: usize = usize::MAX;

/// Values of a row that is copied in pairs.
const SHORT: usize = 256;

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
        let mut t = 0;
        for (patch, count) in patches.lines() {
            writer.turn_to(s, patch.image);
            let line = Line { windows, patch, count, channels };
            line.write(
                s,
                writer,
                windows.at.first,
                Some(Sums { data: &sums.data[t * sums.patch..], ..sums }),
            );
            for place in windows.unreached {
                line.write(s, writer, *place, None);
            }
            t += count;
        }
    }
}

/// Patches beside each other.
struct Line<'a> {
    windows: &'a Windows<'a>,
    /// The first.
    patch: Patch,
    count: usize,
    channels: Channels,
}

impl Line<'_> {
    /// Writes the sums, or zeros, to the patches' outputs that lie `place` rows and columns after `at.step` times their own.
    #[inline(always)]
    fn write<S: Simd, W: Writer<S>>(&self, s: S, writer: &mut W, place: [usize; 2], sums: Option<Sums>) {
        let Self { windows, patch, count, channels } = self;
        let ([height, width], step) = (windows.output, windows.at.step);
        let (y, x) = (patch.at[0] * step + place[0], patch.at[1] * step + place[1]);
        if y >= height || x >= width {
            return;
        }
        let count = (*count).min((width - x).div_ceil(step));
        let first = ((patch.image * height + y) * width + x) * channels.of + channels.first;
        let step = step * channels.of;
        assert!(first + (count - 1) * step + channels.lanes <= writer.len(), "a pixel beyond its tensor");
        for i in 0..count {
            let v = match &sums {
                Some(sums) => load(s, sums.data, i * sums.patch),
                None => s.splat(0.0),
            };
            // SAFETY: not beyond the last, which was asserted to be within the tensor.
            unsafe { writer.write(s, first + i * step, v) };
        }
    }
}
