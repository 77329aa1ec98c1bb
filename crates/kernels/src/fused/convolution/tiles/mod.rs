//! 3×3 convolutions of stride 1 by Winograd's minimal filtering: a patch is a square tile of outputs.
#![allow(clippy::needless_range_loop)] // rows and columns read best by their numbers, and adapters are not reliably inlined

mod transforms;

use std::marker::PhantomData;

use super::scheme::{Emit, Keep, Pair, Patch, Products, Row, Scheme, Store};
use crate::element::Element;
use crate::fused::read::{Reader, WithReader};
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

    fn across(&self) -> usize {
        self.output[1].div_ceil(T::OUT)
    }

    /// Row and column of the first output of a tile.
    #[inline(always)]
    fn origin(&self, number: usize) -> [usize; 2] {
        [number / self.across() * T::OUT, number % self.across() * T::OUT]
    }
}

impl<T: Tile> Scheme for Tiles<T> {
    fn patches(&self) -> usize {
        self.output[0].div_ceil(T::OUT) * self.across()
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
    fn gather<S: Simd, E: Element>(&self, s: S, x: &Source<E>, input: Extent, patch: Patch, row: Row<E>) {
        for channel in (0..input.channels).step_by(LANES) {
            let emit = Store { data: &mut *row.data, product: row.product, at: channel };
            self.read_inputs(s, x, input, patch, channel, emit);
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
        let [Some(first), second] = patches else { return };
        for channel in (0..input.channels).step_by(LANES) {
            let (data, product, at) = (&mut *row.data, row.product, channel * E::PAIR);
            if E::PAIR == 1 {
                self.read_inputs(s, x, input, first, channel, Store { data, product, at });
                continue;
            }
            let mut kept = [s.splat(0.0); 36];
            self.read_inputs(s, x, input, first, channel, Keep(&mut kept));
            let mut pair = Pair { first: &kept, data, product, at };
            match second {
                Some(second) => self.read_inputs(s, x, input, second, channel, pair),
                None => (0..T::IN * T::IN).for_each(|e| pair.emit(s, e, s.splat(0.0))),
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
        let [Some(first), second] = patches else { return };
        for channel in (0..output.channels).step_by(LANES) {
            let (data, product, at) = (&mut *row.data, row.product, channel * E::PAIR);
            if E::PAIR == 1 {
                self.read_outputs(s, dy, output, first, channel, Store { data, product, at });
                continue;
            }
            let mut kept = [s.splat(0.0); 36];
            self.read_outputs(s, dy, output, first, channel, Keep(&mut kept));
            let mut pair = Pair { first: &kept, data, product, at };
            match second {
                Some(second) => self.read_outputs(s, dy, output, second, channel, pair),
                None => (0..T::IN * T::IN).for_each(|e| pair.emit(s, e, s.splat(0.0))),
            }
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
        let write =
            WriteTile { tiles: self, products, image: patch.image, number: patch.number, output, channel };
        // SAFETY: the caller's promise.
        unsafe { sink.writer(s, output, (patch.image, channel, lanes), write) }
    }
}

impl<T: Tile> Tiles<T> {
    #[inline(always)]
    fn read_inputs<S: Simd, E: Element>(
        &self,
        s: S,
        x: &Source<E>,
        input: Extent,
        patch: Patch,
        channel: usize,
        emit: impl Emit<S>,
    ) {
        let lanes = LANES.min(input.channels - channel);
        let [oy, ox] = self.origin(patch.number);
        let window = Window {
            image: patch.image,
            // Before the image by the padding: wrapped around, and so outside of it.
            first: [oy.wrapping_sub(self.padding), ox.wrapping_sub(self.padding)],
            within: self.input,
            channels: input.channels,
            channel,
            lanes,
        };
        x.reader(
            s,
            input,
            (patch.image, channel, lanes),
            ReadInputs::<T, _> { window, emit, tile: PhantomData },
        );
    }

    #[inline(always)]
    fn read_outputs<S: Simd, E: Element>(
        &self,
        s: S,
        dy: &Source<E>,
        output: Extent,
        patch: Patch,
        channel: usize,
        emit: impl Emit<S>,
    ) {
        let lanes = LANES.min(output.channels - channel);
        let window = Window {
            image: patch.image,
            first: self.origin(patch.number),
            within: self.output,
            channels: output.channels,
            channel,
            lanes,
        };
        dy.reader(
            s,
            output,
            (patch.image, channel, lanes),
            ReadOutputs::<T, _> { window, emit, tile: PhantomData },
        );
    }
}

/// A square of pixels, partly outside the image perhaps.
#[derive(Clone, Copy)]
struct Window {
    image: usize,
    first: [usize; 2],
    within: [usize; 2],
    channels: usize,
    channel: usize,
    lanes: usize,
}

impl Window {
    /// Whether `size` rows and columns of sixteen whole lanes are inside.
    #[inline(always)]
    fn is_inside(&self, size: usize) -> bool {
        let inside = |i: usize| self.first[i] < self.within[i] && self.first[i] + size <= self.within[i];
        self.lanes == LANES && inside(0) && inside(1)
    }

    /// The place of the pixel in row `i` and column `j`, if it is inside.
    #[inline(always)]
    fn place(&self, i: usize, j: usize) -> Option<usize> {
        let (y, x) = (self.first[0].wrapping_add(i), self.first[1].wrapping_add(j));
        (y < self.within[0] && x < self.within[1]).then(|| self.at(y, x))
    }

    #[inline(always)]
    fn at(&self, y: usize, x: usize) -> usize {
        ((self.image * self.within[0] + y) * self.within[1] + x) * self.channels + self.channel
    }
}

/// Reads `$size` × `$size` pixels and applies `$transform` along both axes. A macro, since closures that use vector
/// instructions are not reliably inlined.
macro_rules! read {
    ($s:ident, $self:ident, $reader:ident, $size:expr, $transform:path) => {{
        let zero = $s.splat(0.0);
        let mut half = [[zero; 6]; 6];
        let window = $self.window;
        if window.is_inside($size) {
            let start = window.at(window.first[0], window.first[1]);
            let line = window.within[1] * window.channels;
            for j in 0..$size {
                let mut column = [zero; 6];
                for i in 0..$size {
                    column[i] = $reader.read($s, start + i * line + j * window.channels);
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
                        column[i] = $reader.read_some($s, at, window.lanes);
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
                $self.emit.emit($s, i * T::IN + j, done[j]);
            }
        }
    }};
}

struct ReadInputs<T, M> {
    window: Window,
    emit: M,
    tile: PhantomData<T>,
}

impl<S: Simd, T: Tile, M: Emit<S>> WithReader<S> for ReadInputs<T, M> {
    #[inline(always)]
    fn with<R: Reader<S>>(mut self, s: S, reader: R) {
        read!(s, self, reader, T::IN, T::input);
    }
}

struct ReadOutputs<T, M> {
    window: Window,
    emit: M,
    tile: PhantomData<T>,
}

impl<S: Simd, T: Tile, M: Emit<S>> WithReader<S> for ReadOutputs<T, M> {
    #[inline(always)]
    fn with<R: Reader<S>>(mut self, s: S, reader: R) {
        read!(s, self, reader, T::OUT, T::output_adjoint);
    }
}

struct WriteTile<'a, T> {
    tiles: &'a Tiles<T>,
    products: Products<'a>,
    image: usize,
    number: usize,
    output: Extent,
    channel: usize,
}

impl<S: Simd, T: Tile> WithWriter<S> for WriteTile<'_, T> {
    #[inline(always)]
    fn with<W: Writer<S>>(self, s: S, writer: &mut W) {
        let zero = s.splat(0.0);
        let mut half = [[zero; 6]; 6];
        let Products { data, product } = self.products;
        for j in 0..T::IN {
            let mut column = [zero; 6];
            for i in 0..T::IN {
                if let Some(lanes) = data[(i * T::IN + j) * product..].first_chunk() {
                    column[i] = s.load(lanes);
                }
            }
            let done = T::output(s, column);
            for i in 0..T::OUT {
                half[i][j] = done[i];
            }
        }
        let [oy, ox] = self.tiles.origin(self.number);
        let [height, width] = self.tiles.output;
        for i in 0..T::OUT.min(height - oy) {
            let done = T::output(s, half[i]);
            let row = ((self.image * height + oy + i) * width + ox) * self.output.channels + self.channel;
            for j in 0..T::OUT {
                if ox + j < width {
                    writer.write(s, row + j * self.output.channels, done[j]);
                }
            }
        }
    }
}
