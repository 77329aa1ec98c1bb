//! 3×3 convolutions of stride 1 by Winograd's minimal filtering: a patch is a square tile of outputs.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // rows and columns read best by their numbers, and adapters are not reliably inlined

mod transforms;

use std::marker::PhantomData;

use super::scheme::{Along, Emit, Make, Patch, Patches, Rows, Scheme, Sums, fill_rows, sixteens};
use super::window::{Window, read_rows};
use crate::element::Element;
use crate::fused::read::{Channels, Reader, WithReader};
use crate::fused::write::{SharedSink, WithWriter, Writer};
use crate::fused::{Extent, Source};
use crate::simd::{LANES, Simd};

pub(crate) use transforms::{Four, Tile, Two};

/// The tiles of an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiles<T> {
    /// Rows and columns of the input.
    input: [usize; 2],
    /// Rows and columns of the output.
    output: [usize; 2],
    /// Zeros around the input.
    padding: usize,
    tile: PhantomData<T>,
}

impl<T: Tile> Tiles<T> {
    pub(super) fn new(input: [usize; 2], output: [usize; 2], padding: usize) -> Self {
        Self { input, output, padding, tile: PhantomData }
    }
}

impl<T: Tile> Scheme for Tiles<T> {
    fn grid(&self) -> [usize; 2] {
        self.output.map(|side| side.div_ceil(T::OUT))
    }

    fn rows(&self) -> usize {
        T::IN * T::IN
    }

    fn row_len(&self, channels: usize) -> usize {
        channels.next_multiple_of(LANES)
    }

    fn most_patches(&self) -> usize {
        64
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
        for channels in sixteens(input.channels) {
            let what = ReadInputs { tiles: *self, channels, patches, along, rows: &mut rows };
            x.reader(s, patches.first().image, channels, what);
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
        for channels in sixteens(output.channels) {
            let what = ReadOutputs { tiles: *self, channels, patches, rows: &mut rows };
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
        let what = WriteTiles { tiles: *self, sums, patches, channels };
        // SAFETY: the caller's promise.
        unsafe { sink.writer(s, patches.first().image, channels, what) }
    }
}

/// What is half done, row by row. One for all patches: to clear it each time would take as long as a transform.
type Half<L> = [[L; 6]; 6];

/// Reads `$size` × `$size` pixels and applies `$transform` along both axes; the results go out column by column.
macro_rules! read {
    ($s:ident, $window:ident, $reader:expr, $half:expr, $emit:ident, $size:expr, $transform:path) => {{
        let (half, zero) = ($half, $s.splat(0.0));
        read_rows!($s, $window, $reader, half, $size, 6, $transform);
        for j in 0..T::IN {
            let mut column = [zero; 6];
            for i in 0..$size {
                column[i] = half[i][j];
            }
            let done = $transform($s, column);
            for i in 0..T::IN {
                // SAFETY: `IN` times `IN` values, as many as there are rows.
                unsafe { $emit.emit($s, done[i]) };
            }
        }
    }};
}

struct ReadInputs<'a, 'b, T, E> {
    tiles: Tiles<T>,
    channels: Channels,
    patches: Patches,
    along: Along,
    rows: &'a mut Rows<'b, E>,
}

impl<S: Simd, T: Tile, E: Element> WithReader<S> for ReadInputs<'_, '_, T, E> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { tiles, channels, patches, along, rows } = self;
        let make = Inputs { tiles, channels, reader, half: [[s.splat(0.0); 6]; 6] };
        fill_rows(s, patches, (along, T::IN * T::IN, channels.first), rows, make);
    }
}

struct Inputs<T, R, L> {
    tiles: Tiles<T>,
    channels: Channels,
    reader: R,
    half: Half<L>,
}

impl<S: Simd, T: Tile, R: Reader<S>> Make<S> for Inputs<T, R, S::Lanes> {
    #[inline(always)]
    fn make<M: Emit<S>>(&mut self, s: S, _: usize, patch: Patch, mut emit: M) {
        self.reader.turn_to(s, patch.image);
        let window = Window {
            image: patch.image,
            // Before the image by the padding: wrapped around there, and so outside of it.
            first: patch.at.map(|i| (i * T::OUT).wrapping_sub(self.tiles.padding)),
            within: self.tiles.input,
            channels: self.channels,
        };
        read!(s, window, self.reader, &mut self.half, emit, T::IN, T::input);
    }
}

struct ReadOutputs<'a, 'b, T, E> {
    tiles: Tiles<T>,
    channels: Channels,
    patches: Patches,
    rows: &'a mut Rows<'b, E>,
}

impl<S: Simd, T: Tile, E: Element> WithReader<S> for ReadOutputs<'_, '_, T, E> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { tiles, channels, patches, rows } = self;
        let make = Outputs { tiles, channels, reader, half: [[s.splat(0.0); 6]; 6] };
        fill_rows(s, patches, (Along::Patches, T::IN * T::IN, channels.first), rows, make);
    }
}

struct Outputs<T, R, L> {
    tiles: Tiles<T>,
    channels: Channels,
    reader: R,
    half: Half<L>,
}

impl<S: Simd, T: Tile, R: Reader<S>> Make<S> for Outputs<T, R, S::Lanes> {
    #[inline(always)]
    fn make<M: Emit<S>>(&mut self, s: S, _: usize, patch: Patch, mut emit: M) {
        self.reader.turn_to(s, patch.image);
        let window = Window {
            image: patch.image,
            first: patch.at.map(|i| i * T::OUT),
            within: self.tiles.output,
            channels: self.channels,
        };
        read!(s, window, self.reader, &mut self.half, emit, T::OUT, T::output_adjoint);
    }
}

struct WriteTiles<'a, T> {
    tiles: Tiles<T>,
    sums: Sums<'a>,
    patches: Patches,
    channels: Channels,
}

impl<S: Simd, T: Tile> WithWriter<S> for WriteTiles<'_, T> {
    #[inline(always)]
    fn with<W: Writer<S>>(self, s: S, writer: &mut W) {
        let Self { tiles, sums, patches, channels } = self;
        let [height, width] = tiles.output;
        // What is read below relies on it: sixteen values of each sum of each patch.
        let last = (T::IN * T::IN - 1) * sums.sum + patches.len().saturating_sub(1) * sums.patch;
        assert!(last + LANES <= sums.data.len(), "sums beyond their place");
        let zero = s.splat(0.0);
        let mut half: Half<S::Lanes> = [[zero; 6]; 6];
        for (t, patch) in patches.enumerate() {
            writer.turn_to(s, patch.image);
            let mut at = t * sums.patch;
            // Sums are numbered column by column.
            for half in half.iter_mut().take(T::IN) {
                let mut column = [zero; 6];
                for value in column.iter_mut().take(T::IN) {
                    // SAFETY: as asserted above.
                    *value = s.load(unsafe { &*sums.data.as_ptr().add(at).cast() });
                    at += sums.sum;
                }
                *half = T::output(s, column);
            }
            let first = patch.at.map(|i| i * T::OUT);
            let window = Window { image: patch.image, first, within: [height, width], channels };
            window.check(writer.len());
            let [oy, ox] = first;
            for i in 0..T::OUT.min(height - oy) {
                let mut row = [zero; 6];
                for j in 0..T::IN {
                    row[j] = half[j][i];
                }
                let done = T::output(s, row);
                let at = window.at(oy + i, ox);
                for j in 0..T::OUT.min(width - ox) {
                    // SAFETY: a pixel of the image, which is within the tensor, as checked.
                    unsafe { writer.write(s, at + j * channels.of, done[j]) };
                }
            }
        }
    }
}
