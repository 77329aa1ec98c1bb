//! Input gradients: tiles of output gradients, and the inputs that they reach, phase by phase.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // as in `tiles`

use std::ops::Range;

use super::order::{PHASES, SUMS, Under};
use super::transforms::{OUT, POINTS, outer};
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

/// The tiles of an image's inputs, as outputs of the turned convolution: its input is the gradient of the outputs.
#[derive(Debug, Clone, Copy)]
pub(in crate::fused::convolution) struct StridedGradient {
    /// Rows and columns of the output gradient.
    pub(in crate::fused::convolution) from: [usize; 2],
    /// Rows and columns of the input gradient.
    pub(in crate::fused::convolution) to: [usize; 2],
}

impl Scheme for StridedGradient {
    fn grid(&self) -> [usize; 2] {
        self.to.map(|side| side.div_ceil(2 * OUT))
    }

    fn rows(&self) -> usize {
        SUMS
    }

    fn phases(&self) -> usize {
        PHASES.len()
    }

    fn sums(&self, phase: usize) -> usize {
        let [down, across] = PHASES[phase];
        down.points() * across.points()
    }

    fn terms(&self, phase: usize, sum: usize) -> Range<usize> {
        let points = PHASES[phase][0].points();
        let row = sum / points * POINTS + sum % points;
        row..row + 1
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
            let what = ReadTiles { size: self.from, channels, patches, along, rows: &mut rows };
            x.reader(s, patches.first().image, channels, what);
        }
    }

    fn gather_outputs<S: Simd, E: Element>(&self, _: S, _: &Source<E>, _: Extent, _: Patches, _: Rows<E>) {
        unreachable!("weight gradients are made by the forward pass's tiles")
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
        let under = PHASES[sums.phase];
        let first = under.map(|under| usize::from(under == Under::Outer));
        let places = Places { image: self.to, first, step: 2, tile: 2 * OUT };
        let points = under.map(Under::points);
        let what = WriteTiles { places, points, sums, patches, channels };
        // SAFETY: the caller's promise.
        unsafe { sink.writer(s, patches.first().image, channels, what) }
    }
}

struct ReadTiles<'a, 'b, E> {
    size: [usize; 2],
    channels: Channels,
    patches: Patches,
    along: Along,
    rows: &'a mut Rows<'b, E>,
}

impl<S: Simd, E: Element> WithReader<S> for ReadTiles<'_, '_, E> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { size, channels, patches, along, rows } = self;
        let make = Inputs { size, channels, reader, half: [[s.splat(0.0); POINTS]; POINTS] };
        fill_rows(s, patches, (along, SUMS, channels.first), rows, make);
    }
}

struct Inputs<R, L> {
    size: [usize; 2],
    channels: Channels,
    reader: R,
    half: [[L; POINTS]; POINTS],
}

impl<S: Simd, R: Reader<S>> Make<S> for Inputs<R, S::Lanes> {
    #[inline(always)]
    fn make<M: Emit<S>>(&mut self, s: S, _: usize, patch: Patch, mut emit: M) {
        self.reader.turn_to(s, patch.image);
        let first = patch.at.map(|i| i * OUT);
        let window = Window { image: patch.image, first, within: self.size, channels: self.channels };
        let half = &mut self.half;
        read_rows!(s, window, self.reader, half, POINTS, POINTS, outer);
        for j in 0..POINTS {
            let mut column = [s.splat(0.0); POINTS];
            for i in 0..POINTS {
                column[i] = half[i][j];
            }
            for value in outer(s, column) {
                // SAFETY: as many values as there are rows.
                unsafe { emit.emit(s, value) };
            }
        }
    }
}
