//! 3×3 convolutions of stride 1 by Winograd's minimal filtering: a patch is a square tile of outputs.
#![allow(unsafe_code)]

mod transforms;

use std::marker::PhantomData;

use super::filtering::{Analysis, Grid, Synthesis, WriteTiles, read_tiles};
use super::filters::{self, Filters};
use super::scheme::{Adjoint, Along, Patches, Rows, Scheme, Sums};
use crate::element::Element;
use crate::fused::read::Channels;
use crate::fused::write::SharedSink;
use crate::fused::{Extent, Source};
use crate::simd::Simd;

use transforms::ROOM;
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

    fn outputs(&self) -> Grid {
        Grid { image: self.output, first: [0, 0], step: 1, tile: T::OUT }
    }
}

impl<T: Tile> Scheme for Tiles<T> {
    fn grid(&self) -> [usize; 2] {
        self.output.map(|side| side.div_ceil(T::OUT))
    }

    fn rows(&self) -> usize {
        T::IN * T::IN
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
        let first = [self.padding.wrapping_neg(); 2];
        let grid = Grid { image: self.input, first, step: 1, tile: T::OUT };
        read_tiles::<S, E, Inputs<T>, ROOM>(s, (x, input), grid, patches, along, rows);
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
        let (synthesis, points) = (PhantomData::<Outputs<T>>, [T::IN; 2]);
        let what = WriteTiles { synthesis, grid: self.outputs(), points, sums, patches, channels };
        // SAFETY: the caller's promise.
        unsafe { sink.writer(s, patches.first().image, channels, what) }
    }
}

impl<T: Tile> Adjoint for Tiles<T> {
    #[inline(always)]
    fn gather_outputs<S: Simd, E: Element>(
        &self,
        s: S,
        dy: &Source<E>,
        output: Extent,
        patches: Patches,
        rows: Rows<E>,
    ) {
        read_tiles::<S, E, Outputs<T>, ROOM>(s, (dy, output), self.outputs(), patches, Along::Patches, rows);
    }
}

struct Inputs<T>(PhantomData<T>);

impl<T: Tile> Analysis<ROOM> for Inputs<T> {
    const PIXELS: usize = T::IN;
    const VALUES: usize = T::IN;

    #[inline(always)]
    fn transform<S: Simd>(s: S, pixels: [S::Lanes; ROOM]) -> [S::Lanes; ROOM] {
        T::input(s, pixels)
    }
}

struct Outputs<T>(PhantomData<T>);

/// Of their gradients.
impl<T: Tile> Analysis<ROOM> for Outputs<T> {
    const PIXELS: usize = T::OUT;
    const VALUES: usize = T::IN;

    #[inline(always)]
    fn transform<S: Simd>(s: S, pixels: [S::Lanes; ROOM]) -> [S::Lanes; ROOM] {
        T::output_adjoint(s, pixels)
    }
}

impl<T: Tile> Synthesis<ROOM> for Outputs<T> {
    const OUT: usize = T::OUT;

    #[inline(always)]
    fn transform<S: Simd>(s: S, sums: [S::Lanes; ROOM]) -> [S::Lanes; ROOM] {
        T::output(s, sums)
    }
}

/// The filters of the tiles.
#[derive(Debug, Clone, Copy)]
pub(super) struct TileFilters<T>(pub(super) PhantomData<T>);

impl<T: Tile> Filters for TileFilters<T> {
    const VALUES: usize = T::IN;

    #[inline(always)]
    fn taps<S: Simd>(s: S, g: [S::Lanes; 3]) -> [S::Lanes; filters::ROOM] {
        let (nothing, [a, b, c, d, e, f]) = (s.splat(0.0), T::taps(s, g));
        [a, b, c, d, e, f, nothing, nothing, nothing]
    }

    #[inline(always)]
    fn taps_adjoint<S: Simd>(s: S, [a, b, c, d, e, f, ..]: [S::Lanes; filters::ROOM]) -> [S::Lanes; 3] {
        T::taps_adjoint(s, [a, b, c, d, e, f])
    }

    #[inline(always)]
    fn row(&self, y: usize, x: usize) -> usize {
        x * T::IN + y // column by column
    }
}
