//! Tiles of pixels, transformed along both axes: what minimal filtering reads and writes.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // rows and columns read best by their numbers, and adapters are not reliably inlined

use std::marker::PhantomData;

use super::scheme::{Along, Emit, Make, Patch, Patches, Rows, Sums, fill_rows, sixteens};
use super::window::{Window, read_rows};
use crate::element::Element;
use crate::fused::read::{Channels, Reader, WithReader};
use crate::fused::write::{WithWriter, Writer};
use crate::fused::{Extent, Source};
use crate::simd::{LANES, Simd};

/// A filtering's transform of what is read. Its arrays have room for `ROOM` values; what lies beyond is nothing.
pub(super) trait Analysis<const ROOM: usize> {
    /// Rows and columns of pixels.
    const PIXELS: usize;
    /// Rows and columns of values.
    const VALUES: usize;
    /// The places of the values, `row · VALUES + column`, in the order of a patch's rows; column by column if there are none.
    const ORDER: Option<&'static [usize]> = None;

    fn transform<S: Simd>(s: S, pixels: [S::Lanes; ROOM]) -> [S::Lanes; ROOM];
}

/// Where the tiles of an image are, the same along both axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Rows and columns of the image.
    pub(super) image: [usize; 2],
    /// The first pixel of the first tile; one before the image is wrapped around, and so outside of it.
    pub(super) first: [usize; 2],
    /// From one pixel of a tile to the next.
    pub(super) step: usize,
    /// From one tile to the next.
    pub(super) tile: usize,
}

impl Grid {
    #[inline(always)]
    fn window(&self, patch: Patch, channels: Channels) -> Window {
        let first = [0, 1].map(|axis| self.first[axis].wrapping_add(patch.at[axis] * self.tile));
        Window { image: patch.image, first, within: self.image, channels }
    }
}

/// The rows of the patches' tiles.
#[inline(always)]
pub(super) fn read_tiles<S: Simd, E: Element, A: Analysis<ROOM>, const ROOM: usize>(
    s: S,
    (x, extent): (&Source<E>, Extent),
    grid: Grid,
    patches: Patches,
    along: Along,
    mut rows: Rows<E>,
) {
    for channels in sixteens(extent.channels) {
        let analysis = PhantomData::<A>;
        let what = ReadTiles::<E, A, ROOM> { analysis, grid, channels, patches, along, rows: &mut rows };
        x.reader(s, patches.first().image, channels, what);
    }
}

struct ReadTiles<'a, 'b, E, A, const ROOM: usize> {
    analysis: PhantomData<A>,
    grid: Grid,
    channels: Channels,
    patches: Patches,
    along: Along,
    rows: &'a mut Rows<'b, E>,
}

impl<S: Simd, E: Element, A: Analysis<ROOM>, const ROOM: usize> WithReader<S>
    for ReadTiles<'_, '_, E, A, ROOM>
{
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        // What emitting the values in their order relies on.
        const {
            assert!(match A::ORDER {
                Some(order) => order.len() == A::VALUES * A::VALUES,
                None => true,
            });
        }
        let Self { analysis, grid, channels, patches, along, rows } = self;
        let half = [[s.splat(0.0); ROOM]; ROOM];
        let make: MakeTile<A, _, _, ROOM> =
            MakeTile { analysis, grid, channels, reader, half, values: [[s.splat(0.0); ROOM]; ROOM] };
        fill_rows(s, patches, (along, A::VALUES * A::VALUES, channels.first), rows, make);
    }
}

struct MakeTile<A, R, L, const ROOM: usize> {
    analysis: PhantomData<A>,
    grid: Grid,
    channels: Channels,
    reader: R,
    // One of each for all patches: to clear them each time would take as long as a transform.
    half: [[L; ROOM]; ROOM],
    values: [[L; ROOM]; ROOM],
}

impl<S: Simd, A: Analysis<ROOM>, R: Reader<S>, const ROOM: usize> Make<S> for MakeTile<A, R, S::Lanes, ROOM> {
    #[inline(always)]
    fn make<M: Emit<S>>(&mut self, s: S, _: usize, patch: Patch, mut emit: M) {
        self.reader.turn_to(s, patch.image);
        let window = self.grid.window(patch, self.channels);
        let half = &mut self.half;
        read_rows!(s, window, self.reader, half, A::PIXELS, ROOM, A::transform);
        for j in 0..A::VALUES {
            let mut column = [s.splat(0.0); ROOM];
            for i in 0..A::PIXELS {
                column[i] = half[i][j];
            }
            let done = A::transform(s, column);
            for i in 0..A::VALUES {
                if A::ORDER.is_some() {
                    self.values[i][j] = done[i];
                } else {
                    // SAFETY: `VALUES` times `VALUES` values, as many as there are rows.
                    unsafe { emit.emit(s, done[i]) };
                }
            }
        }
        for place in A::ORDER.into_iter().flatten() {
            let value = self.values[place / A::VALUES][place % A::VALUES];
            // SAFETY: as many places as there are values.
            unsafe { emit.emit(s, value) };
        }
    }
}

/// A filtering's transform of sums to outputs. Its arrays have room for `ROOM` values; what lies beyond is nothing.
pub(super) trait Synthesis<const ROOM: usize> {
    /// Rows and columns of outputs.
    const OUT: usize;

    fn transform<S: Simd>(s: S, sums: [S::Lanes; ROOM]) -> [S::Lanes; ROOM];
}

/// Writes the patches' outputs.
pub(super) struct WriteTiles<'a, B, const ROOM: usize> {
    pub(super) synthesis: PhantomData<B>,
    pub(super) grid: Grid,
    /// Rows and columns of sums; those that are missing are nothing.
    pub(super) points: [usize; 2],
    pub(super) sums: Sums<'a>,
    pub(super) patches: Patches,
    pub(super) channels: Channels,
}

impl<S: Simd, B: Synthesis<ROOM>, const ROOM: usize> WithWriter<S> for WriteTiles<'_, B, ROOM> {
    #[inline(always)]
    fn with<W: Writer<S>>(self, s: S, writer: &mut W) {
        let Self { grid, points, sums, patches, channels, .. } = self;
        // What is read below relies on it: sixteen values of each sum of each patch.
        let last = (points[0] * points[1] - 1) * sums.sum + patches.len().saturating_sub(1) * sums.patch;
        assert!(last + LANES <= sums.data.len(), "sums beyond their place");
        let zero = s.splat(0.0);
        let mut half = [[zero; ROOM]; ROOM];
        for (t, patch) in patches.enumerate() {
            writer.turn_to(s, patch.image);
            let mut at = t * sums.patch;
            // Sums are numbered column by column.
            for half in half.iter_mut().take(points[1]) {
                let mut column = [zero; ROOM];
                for value in column.iter_mut().take(points[0]) {
                    // SAFETY: as asserted above.
                    *value = s.load(unsafe { &*sums.data.as_ptr().add(at).cast() });
                    at += sums.sum;
                }
                *half = B::transform(s, column);
            }
            let window = grid.window(patch, channels);
            window.check(writer.len());
            let [first_y, first_x] = window.first;
            // As many as lie within the image.
            let inside =
                |first: usize, side: usize| side.saturating_sub(first).div_ceil(grid.step).min(B::OUT);
            let across = inside(first_x, grid.image[1]);
            for i in 0..inside(first_y, grid.image[0]) {
                let mut row = [zero; ROOM];
                for j in 0..points[1] {
                    row[j] = half[j][i];
                }
                let done = B::transform(s, row);
                let at = window.at(first_y + i * grid.step, first_x);
                for j in 0..across {
                    // SAFETY: a pixel of the image, which is within the tensor, as checked.
                    unsafe { writer.write(s, at + j * grid.step * channels.of, done[j]) };
                }
            }
        }
    }
}
