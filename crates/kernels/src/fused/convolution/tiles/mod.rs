//! 3×3 convolutions of stride 1 by Winograd's minimal filtering: a patch is a square tile of outputs.
#![allow(clippy::needless_range_loop)] // rows and columns read best by their numbers, and adapters are not reliably inlined

mod transforms;

use std::marker::PhantomData;

use super::scheme::{Along, Emit, Make, Patch, Patches, Products, Rows, Scheme, fill_rows, sixteens};
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

    fn products(&self) -> usize {
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
    #[allow(unsafe_code)]
    unsafe fn scatter<S: Simd, E: Element>(
        &self,
        s: S,
        products: Products,
        patches: Patches,
        channels: Channels,
        sink: &SharedSink<E>,
    ) {
        let what = WriteTiles { tiles: *self, products, patches, channels };
        // SAFETY: the caller's promise.
        unsafe { sink.writer(s, patches.first().image, channels, what) }
    }
}

/// A square of pixels, partly outside the image perhaps.
#[derive(Clone, Copy)]
struct Window {
    image: usize,
    first: [usize; 2],
    within: [usize; 2],
    channels: Channels,
}

impl Window {
    /// Whether `size` rows and columns of sixteen whole lanes are inside.
    #[inline(always)]
    fn is_inside(&self, size: usize) -> bool {
        let inside = |i: usize| self.first[i] < self.within[i] && self.first[i] + size <= self.within[i];
        self.channels.lanes == LANES && inside(0) && inside(1)
    }

    /// The place of the pixel in row `i` and column `j`, if it is inside.
    #[inline(always)]
    fn place(&self, i: usize, j: usize) -> Option<usize> {
        let (y, x) = (self.first[0].wrapping_add(i), self.first[1].wrapping_add(j));
        (y < self.within[0] && x < self.within[1]).then(|| self.at(y, x))
    }

    #[inline(always)]
    fn at(&self, y: usize, x: usize) -> usize {
        ((self.image * self.within[0] + y) * self.within[1] + x) * self.channels.of + self.channels.first
    }
}

/// Reads `$size` × `$size` pixels and applies `$transform` along both axes. A macro, since closures that use vector
/// instructions are not reliably inlined.
macro_rules! read {
    ($s:ident, $window:ident, $reader:expr, $emit:ident, $size:expr, $transform:path) => {{
        let (window, reader, zero) = ($window, $reader, $s.splat(0.0));
        let mut half = [[zero; 6]; 6];
        if window.is_inside($size) {
            let start = window.at(window.first[0], window.first[1]);
            let line = window.within[1] * window.channels.of;
            for j in 0..$size {
                let mut column = [zero; 6];
                for i in 0..$size {
                    column[i] = reader.read($s, start + i * line + j * window.channels.of);
                }
                let done = $transform($s, column);
                for i in 0..T::IN {
                    half[i][j] = done[i];
                }
            }
        } else {
            for j in 0..$size {
                let mut column = [zero; 6];
                for i in 0..$size {
                    if let Some(at) = window.place(i, j) {
                        column[i] = reader.read_some($s, at);
                    }
                }
                let done = $transform($s, column);
                for i in 0..T::IN {
                    half[i][j] = done[i];
                }
            }
        }
        for i in 0..T::IN {
            let done = $transform($s, half[i]);
            for j in 0..T::IN {
                $emit.emit($s, i * T::IN + j, done[j]);
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
        let make = Inputs { tiles, channels, reader };
        fill_rows(s, patches, (along, T::IN * T::IN, channels.first), rows, make);
    }
}

struct Inputs<T, R> {
    tiles: Tiles<T>,
    channels: Channels,
    reader: R,
}

impl<S: Simd, T: Tile, R: Reader<S>> Make<S> for Inputs<T, R> {
    #[inline(always)]
    fn make<M: Emit<S>>(&mut self, s: S, patch: Patch, mut emit: M) {
        self.reader.turn_to(s, patch.image);
        let window = Window {
            image: patch.image,
            // Before the image by the padding: wrapped around there, and so outside of it.
            first: patch.at.map(|i| (i * T::OUT).wrapping_sub(self.tiles.padding)),
            within: self.tiles.input,
            channels: self.channels,
        };
        read!(s, window, self.reader, emit, T::IN, T::input);
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
        let make = Outputs { tiles, channels, reader };
        fill_rows(s, patches, (Along::Patches, T::IN * T::IN, channels.first), rows, make);
    }
}

struct Outputs<T, R> {
    tiles: Tiles<T>,
    channels: Channels,
    reader: R,
}

impl<S: Simd, T: Tile, R: Reader<S>> Make<S> for Outputs<T, R> {
    #[inline(always)]
    fn make<M: Emit<S>>(&mut self, s: S, patch: Patch, mut emit: M) {
        self.reader.turn_to(s, patch.image);
        let window = Window {
            image: patch.image,
            first: patch.at.map(|i| i * T::OUT),
            within: self.tiles.output,
            channels: self.channels,
        };
        read!(s, window, self.reader, emit, T::OUT, T::output_adjoint);
    }
}

struct WriteTiles<'a, T> {
    tiles: Tiles<T>,
    products: Products<'a>,
    patches: Patches,
    channels: Channels,
}

impl<S: Simd, T: Tile> WithWriter<S> for WriteTiles<'_, T> {
    #[inline(always)]
    fn with<W: Writer<S>>(self, s: S, writer: &mut W) {
        let Self { tiles, products, patches, channels } = self;
        let [height, width] = tiles.output;
        for (t, patch) in patches.enumerate() {
            writer.turn_to(s, patch.image);
            let data = &products.data[t * products.patch..];
            let zero = s.splat(0.0);
            let mut half = [[zero; 6]; 6];
            for j in 0..T::IN {
                let mut column = [zero; 6];
                for i in 0..T::IN {
                    if let Some(lanes) = data[(i * T::IN + j) * products.product..].first_chunk() {
                        column[i] = s.load(lanes);
                    }
                }
                let done = T::output(s, column);
                for i in 0..T::OUT {
                    half[i][j] = done[i];
                }
            }
            let [oy, ox] = patch.at.map(|i| i * T::OUT);
            for i in 0..T::OUT.min(height - oy) {
                let done = T::output(s, half[i]);
                let row = ((patch.image * height + oy + i) * width + ox) * channels.of + channels.first;
                for j in 0..T::OUT {
                    if ox + j < width {
                        writer.write(s, row + j * channels.of, done[j]);
                    }
                }
            }
        }
    }
}
