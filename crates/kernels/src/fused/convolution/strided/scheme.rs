//! Tiles of outputs, from tiles of inputs around them.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // as in `tiles`

use std::ops::Range;

use super::order::{ALL, PLACES, STARTS, SUM_OF, SUMS};
use super::transforms::{OUT, POINTS, VALUES, input, output_adjoint};
use super::write::{Places, WriteTiles};
use crate::element::Element;
use crate::fused::convolution::scheme::{
    Along, Emit, Make, Patch, Patches, Rows, Scheme, Sums, fill_rows, sixteens,
};
use crate::fused::convolution::window::{Window, read_rows};
use crate::fused::read::{Channels, Reader, WithReader};
use crate::fused::write::SharedSink;
use crate::fused::{Extent, Source};
use crate::simd::{LANES, Simd};

/// The tiles of an image's outputs.
#[derive(Debug, Clone, Copy)]
pub(in crate::fused::convolution) struct Strided {
    /// Rows and columns of the input.
    pub(in crate::fused::convolution) input: [usize; 2],
    /// Rows and columns of the output.
    pub(in crate::fused::convolution) output: [usize; 2],
}

impl Scheme for Strided {
    fn grid(&self) -> [usize; 2] {
        self.output.map(|side| side.div_ceil(OUT))
    }

    fn rows(&self) -> usize {
        ALL
    }

    fn sums(&self, _phase: usize) -> usize {
        SUMS
    }

    fn terms(&self, _phase: usize, sum: usize) -> Range<usize> {
        STARTS[sum]..STARTS[sum + 1]
    }

    fn output_rows(&self) -> usize {
        SUMS
    }

    fn output_row(&self, row: usize) -> usize {
        SUM_OF[row]
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
            let what = ReadInputs { size: self.input, channels, patches, along, rows: &mut rows };
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
            let what = ReadOutputs { size: self.output, channels, patches, rows: &mut rows };
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
        let places = Places { image: self.output, first: [0, 0], step: 1, tile: OUT };
        let what = WriteTiles { places, points: [POINTS, POINTS], sums, patches, channels };
        // SAFETY: the caller's promise.
        unsafe { sink.writer(s, patches.first().image, channels, what) }
    }
}

struct ReadInputs<'a, 'b, E> {
    size: [usize; 2],
    channels: Channels,
    patches: Patches,
    along: Along,
    rows: &'a mut Rows<'b, E>,
}

impl<S: Simd, E: Element> WithReader<S> for ReadInputs<'_, '_, E> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { size, channels, patches, along, rows } = self;
        let (zero, none) = (s.splat(0.0), [s.splat(0.0); VALUES]);
        let make = Inputs { size, channels, reader, half: [none; VALUES], values: [zero; ALL] };
        fill_rows(s, patches, (along, ALL, channels.first), rows, make);
    }
}

struct Inputs<R, L> {
    size: [usize; 2],
    channels: Channels,
    reader: R,
    // One of each for all patches: to clear them each time would take as long as a transform.
    half: [[L; VALUES]; VALUES],
    values: [L; ALL],
}

impl<S: Simd, R: Reader<S>> Make<S> for Inputs<R, S::Lanes> {
    #[inline(always)]
    fn make<M: Emit<S>>(&mut self, s: S, _: usize, patch: Patch, mut emit: M) {
        self.reader.turn_to(s, patch.image);
        let window = Window {
            image: patch.image,
            // One before the image: wrapped around there, and so outside of it.
            first: patch.at.map(|i| (i * 2 * OUT).wrapping_sub(1)),
            within: self.size,
            channels: self.channels,
        };
        let half = &mut self.half;
        read_rows!(s, window, self.reader, half, VALUES, VALUES, input);
        for j in 0..VALUES {
            let mut column = [s.splat(0.0); VALUES];
            for i in 0..VALUES {
                column[i] = half[i][j];
            }
            let done = input(s, column);
            for i in 0..VALUES {
                self.values[i * VALUES + j] = done[i];
            }
        }
        for place in PLACES {
            // SAFETY: as many values as there are rows.
            unsafe { emit.emit(s, self.values[place]) };
        }
    }
}

struct ReadOutputs<'a, 'b, E> {
    size: [usize; 2],
    channels: Channels,
    patches: Patches,
    rows: &'a mut Rows<'b, E>,
}

impl<S: Simd, E: Element> WithReader<S> for ReadOutputs<'_, '_, E> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { size, channels, patches, rows } = self;
        let make = Outputs { size, channels, reader, half: [[s.splat(0.0); POINTS]; OUT] };
        fill_rows(s, patches, (Along::Patches, SUMS, channels.first), rows, make);
    }
}

struct Outputs<R, L> {
    size: [usize; 2],
    channels: Channels,
    reader: R,
    half: [[L; POINTS]; OUT],
}

impl<S: Simd, R: Reader<S>> Make<S> for Outputs<R, S::Lanes> {
    #[inline(always)]
    fn make<M: Emit<S>>(&mut self, s: S, _: usize, patch: Patch, mut emit: M) {
        self.reader.turn_to(s, patch.image);
        let first = patch.at.map(|i| i * OUT);
        let window = Window { image: patch.image, first, within: self.size, channels: self.channels };
        let half = &mut self.half;
        read_rows!(s, window, self.reader, half, OUT, OUT, output_adjoint);
        for j in 0..POINTS {
            let mut column = [s.splat(0.0); OUT];
            for i in 0..OUT {
                column[i] = half[i][j];
            }
            for value in output_adjoint(s, column) {
                // SAFETY: as many values as there are rows.
                unsafe { emit.emit(s, value) };
            }
        }
    }
}
