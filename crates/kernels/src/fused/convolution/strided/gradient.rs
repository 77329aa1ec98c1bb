//! Input gradients: tiles of output gradients, and the inputs that they reach, phase by phase.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;

use super::order::{PHASES, SUMS, Under};
use super::scheme::Outputs;
use super::transforms::{OUT, POINTS, outer};
use crate::element::Element;
use crate::fused::convolution::filtering::{Analysis, Grid, WriteTiles, read_tiles};
use crate::fused::convolution::scheme::{Along, Patches, Rows, Scheme, Sums};
use crate::fused::read::Channels;
use crate::fused::write::SharedSink;
use crate::fused::{Extent, Source};
use crate::simd::Simd;

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

    #[inline(always)]
    fn gather<S: Simd, E: Element>(
        &self,
        s: S,
        x: &Source<E>,
        input: Extent,
        patches: Patches,
        along: Along,
        rows: Rows<E>,
    ) {
        let grid = Grid { image: self.from, first: [0, 0], step: 1, tile: OUT };
        read_tiles::<S, E, Gradients, POINTS>(s, (x, input), grid, patches, along, rows);
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
        let grid = Grid { image: self.to, first, step: 2, tile: 2 * OUT };
        let (synthesis, points) = (PhantomData::<Outputs>, under.map(Under::points));
        let what = WriteTiles { synthesis, grid, points, sums, patches, channels };
        // SAFETY: the caller's promise.
        unsafe { sink.writer(s, patches.first().image, channels, what) }
    }
}

/// Of the outputs, as inputs of the turned convolution.
struct Gradients;

impl Analysis<POINTS> for Gradients {
    const PIXELS: usize = POINTS;
    const VALUES: usize = POINTS;

    #[inline(always)]
    fn transform<S: Simd>(s: S, pixels: [S::Lanes; POINTS]) -> [S::Lanes; POINTS] {
        outer(s, pixels)
    }
}
