//! Tiles of outputs, from tiles of inputs around them.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;

use super::order::{ALL, PLACES, STARTS, SUM_OF, SUMS};
use super::transforms::{OUT, POINTS, VALUES, input, output, output_adjoint};
use crate::element::Element;
use crate::fused::convolution::filtering::{Analysis, Grid, Synthesis, WriteTiles, read_tiles};
use crate::fused::convolution::scheme::{Adjoint, Along, Patches, Rows, Scheme, Sums};
use crate::fused::read::Channels;
use crate::fused::write::SharedSink;
use crate::fused::{Extent, Source};
use crate::simd::Simd;

/// The tiles of an image's outputs.
#[derive(Debug, Clone, Copy)]
pub(in crate::fused::convolution) struct Strided {
    /// Rows and columns of the input.
    pub(in crate::fused::convolution) input: [usize; 2],
    /// Rows and columns of the output.
    pub(in crate::fused::convolution) output: [usize; 2],
}

impl Strided {
    fn outputs(&self) -> Grid {
        Grid { image: self.output, first: [0, 0], step: 1, tile: OUT }
    }
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
        let grid = Grid { image: self.input, first: [1usize.wrapping_neg(); 2], step: 1, tile: 2 * OUT };
        read_tiles::<S, E, Inputs, VALUES>(s, (x, input), grid, patches, along, rows);
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
        let (synthesis, points) = (PhantomData::<Outputs>, [POINTS; 2]);
        let what = WriteTiles { synthesis, grid: self.outputs(), points, sums, patches, channels };
        // SAFETY: the caller's promise.
        unsafe { sink.writer(s, patches.first().image, channels, what) }
    }
}

impl Adjoint for Strided {
    fn output_rows(&self) -> usize {
        SUMS
    }

    fn output_row(&self, row: usize) -> usize {
        SUM_OF[row]
    }

    #[inline(always)]
    fn gather_outputs<S: Simd, E: Element>(
        &self,
        s: S,
        dy: &Source<E>,
        output: Extent,
        patches: Patches,
        rows: Rows<E>,
    ) {
        let grid = self.outputs();
        read_tiles::<S, E, Outputs, POINTS>(s, (dy, output), grid, patches, Along::Patches, rows);
    }
}

struct Inputs;

impl Analysis<VALUES> for Inputs {
    const PIXELS: usize = VALUES;
    const VALUES: usize = VALUES;
    const ORDER: Option<&'static [usize]> = Some(&PLACES);

    #[inline(always)]
    fn transform<S: Simd>(s: S, pixels: [S::Lanes; VALUES]) -> [S::Lanes; VALUES] {
        input(s, pixels)
    }
}

/// Outputs, and their gradients.
pub(super) struct Outputs;

impl Analysis<POINTS> for Outputs {
    const PIXELS: usize = OUT;
    const VALUES: usize = POINTS;

    #[inline(always)]
    fn transform<S: Simd>(s: S, [a, b, c, d, _]: [S::Lanes; POINTS]) -> [S::Lanes; POINTS] {
        output_adjoint(s, [a, b, c, d])
    }
}

impl Synthesis<POINTS> for Outputs {
    const OUT: usize = OUT;

    #[inline(always)]
    fn transform<S: Simd>(s: S, sums: [S::Lanes; POINTS]) -> [S::Lanes; POINTS] {
        let [a, b, c, d] = output(s, sums);
        [a, b, c, d, s.splat(0.0)]
    }
}
