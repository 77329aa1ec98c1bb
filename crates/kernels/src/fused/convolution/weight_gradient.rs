//! Weight gradients: the rows of inputs and of output gradients of many patches, multiplied along the patches.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // as in `tiles`

use std::ops::Range;

use rayon::prelude::*;

use super::pass::spread;
use super::product::{AHEAD, COLUMNS, Left, Place, Right, product, steps};
use super::scheme::{Along, Patches, Rows, Scheme, portion};
use super::tiles::Tile;
use crate::element::Element;
use crate::element::private::Sealed;
use crate::fused::read::load;
use crate::fused::shared::Shared;
use crate::fused::{Extent, Source, Write};
use crate::isa::{Kernel, dispatch};
use crate::prefetch::Ahead;
use crate::scratch;
use crate::simd::{LANES, Simd};

/// How sums over all patches become the weight's gradient.
pub(super) trait Finish: Copy + Send + Sync {
    /// Sums the `parts`, each matrices of `rows` × `width` values, for the rows `first..first + count` of channels
    /// and the columns from `column` on, and writes the result to `dw`.
    ///
    /// # Safety
    /// Meanwhile no other thread uses these rows and columns of `dw`.
    unsafe fn finish<S: Simd>(&self, s: S, parts: &Parts, dw: &Shared<f32>);
}

/// Sums of some rows (and columns) of all products (one for each of a patch's rows), in one or several parts to be added.
pub(super) struct Parts<'a> {
    data: &'a [f32],
    /// From one part to the next.
    part: usize,
    /// From one product to the next.
    product: usize,
    /// From one row to the next.
    row: usize,
    /// Rows of the operand that these are.
    pub(super) rows: Range<usize>,
    /// Channels of the output that these are.
    pub(super) columns: Range<usize>,
    /// Channels of input and output.
    channels: [usize; 2],
}

impl Parts<'_> {
    /// Sixteen sums over all parts.
    #[inline(always)]
    pub(super) fn lanes<S: Simd>(&self, s: S, e: usize, row: usize, column: usize) -> S::Lanes {
        let at = e * self.product + row * self.row + column;
        let mut sum = load(s, self.data, at);
        for part in (at + self.part..self.data.len()).step_by(self.part) {
            sum = s.add(sum, load(s, self.data, part));
        }
        sum
    }

    /// Writes the gradient of a tap, for input channel number `i` of these and sixteen output channels.
    ///
    /// # Safety
    /// Meanwhile no other thread uses these channels of `dw`.
    #[inline(always)]
    pub(super) unsafe fn write<S: Simd>(
        &self,
        s: S,
        (tap, i, column): (usize, usize, usize),
        v: S::Lanes,
        dw: &Shared<f32>,
    ) {
        let [c_in, c_out] = self.channels;
        let at = (tap * c_in + self.rows.start + i) * c_out + column;
        let lanes = LANES.min(self.columns.end - column);
        // SAFETY: the caller's promise.
        f32::store_first(s, v, unsafe { dw.part(at, lanes) });
    }
}

/// The products' sums are the gradient: one row a tap and channel.
#[derive(Clone, Copy)]
pub(super) struct Direct;

impl Finish for Direct {
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, s: S, parts: &Parts, dw: &Shared<f32>) {
        for (i, row) in parts.rows.clone().enumerate() {
            for column in parts.columns.clone().step_by(LANES) {
                let lanes = LANES.min(parts.columns.end - column);
                let v = parts.lanes(s, 0, i, column - parts.columns.start);
                // SAFETY: the caller's promise.
                f32::store_first(s, v, unsafe { dw.part(row * parts.channels[1] + column, lanes) });
            }
        }
    }
}

/// `Gᵀ u G`.
#[derive(Clone, Copy)]
pub(super) struct Transformed<T>(pub(super) std::marker::PhantomData<T>);

impl<T: Tile> Finish for Transformed<T> {
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, s: S, parts: &Parts, dw: &Shared<f32>) {
        for i in 0..parts.rows.len() {
            for column in parts.columns.clone().step_by(LANES) {
                let zero = s.splat(0.0);
                let mut half = [[zero; 6]; 3];
                for x in 0..T::IN {
                    let mut u = [zero; 6];
                    for y in 0..T::IN {
                        u[y] = parts.lanes(s, x * T::IN + y, i, column - parts.columns.start);
                    }
                    let done = T::taps_adjoint(s, u);
                    for y in 0..3 {
                        half[y][x] = done[y];
                    }
                }
                for y in 0..3 {
                    let done = T::taps_adjoint(s, half[y]);
                    for x in 0..3 {
                        // SAFETY: the caller's promise.
                        unsafe { parts.write(s, (y * 3 + x, i, column), done[x], dw) };
                    }
                }
            }
        }
    }
}

/// One weight gradient.
pub(super) struct WeightGradient<'a, E, P, F> {
    pub(super) scheme: P,
    pub(super) finish: F,
    pub(super) x: Source<'a, E>,
    pub(super) input: Extent,
    pub(super) dy: Source<'a, E>,
    pub(super) output: Extent,
}

/// What is known of all blocks.
#[derive(Clone, Copy)]
struct Sizes {
    /// Patches of a block, a multiple of a factor's values.
    patches: usize,
    /// From a row of inputs to the next patch's, and from all patches' to the same patches' next row.
    x: [usize; 2],
    /// Likewise of output gradients.
    dy: [usize; 2],
}

/// From one factor's row of `len` factors to the next one's, and from one product's rows of `patches` patches to the next
/// product's.
fn rows_of<E: Element>(patches: usize, len: usize) -> [usize; 2] {
    let row = spread::<E>(len * E::PAIR);
    [row, spread::<E>(patches / E::PAIR * row)]
}

impl<E: Element, P: Scheme, F: Finish> WeightGradient<'_, E, P, F> {
    pub(super) fn run(&self, rows: usize, dw: &mut [f32]) {
        let columns = self.output.channels.next_multiple_of(COLUMNS);
        let sums = self.scheme.rows() * rows * columns;
        if sums <= SMALL { self.by_patches(rows, columns, dw) } else { self.by_channels(rows, columns, dw) }
    }

    fn sizes(&self, columns: usize, most: usize) -> Sizes {
        let (x, dy) = (self.scheme.row_len(self.input.channels), columns);
        let values = x * self.scheme.rows() + dy * self.scheme.output_rows();
        let fitting = most / (values * size_of::<E>());
        let patches = fitting.clamp(32, super::MOST_PATCHES) / 2 * 2;
        // A row of factors holds the values of `PAIR` patches.
        let rows_of = |len: usize| rows_of::<E>(patches, len);
        Sizes { patches, x: rows_of(x), dy: rows_of(dy) }
    }

    /// The patches are dealt to a few partial sums.
    fn by_patches(&self, rows: usize, columns: usize, dw: &mut [f32]) {
        let sizes = self.sizes(columns, 640 * 1024);
        let products = self.scheme.rows();
        let total = self.input.images * self.scheme.patches();
        // Not of the number of threads: results must not depend on it.
        let part = products * rows * columns;
        let splits = total.div_ceil(sizes.patches).clamp(1, if part <= SMALL / 4 { 8 } else { 4 });
        scratch::with(splits * part, |sums: &mut [f32]| {
            sums.par_chunks_mut(part).enumerate().for_each(|(split, sums)| {
                let share = total * split / splits..total * (split + 1) / splits;
                scratch::with(products * sizes.x[1], |x: &mut [E]| {
                    scratch::with(self.scheme.output_rows() * sizes.dy[1], |dy: &mut [E]| {
                        let mut write = Write::Overwrite;
                        for first in share.clone().step_by(sizes.patches) {
                            let block = first..(first + sizes.patches).min(share.end);
                            let (end, depth) = (block.end, block.len().div_ceil(E::PAIR));
                            dispatch(Gather { of: self, sizes: &sizes, block, x, dy });
                            // What the next block reads.
                            let next = end..(end + sizes.patches).min(total);
                            let mut ahead = Ahead::nothing();
                            self.x.ahead(&self.scheme.reads(&next, self.input), &mut ahead);
                            let outputs = portion(&next, self.scheme.patches(), self.output);
                            self.dy.ahead(&outputs, &mut ahead);
                            let group = Group { rows: 0..rows, columns: 0..columns, steps: depth };
                            let shares = products * columns / COLUMNS * steps(rows);
                            let mut ahead = ahead.in_steps(shares);
                            self.multiply(&sizes, group, (x, dy), sums, write, &mut ahead);
                            write = Write::Add;
                        }
                        if write == Write::Overwrite {
                            sums.fill(0.0);
                        }
                    });
                });
            });
            let (sums, dw) = (&*sums, Shared::new(dw));
            const AT_ONCE: usize = 8;
            (0..rows.div_ceil(AT_ONCE)).into_par_iter().for_each(|i| {
                let range = i * AT_ONCE..((i + 1) * AT_ONCE).min(rows);
                let data = &sums[range.start * columns..];
                let parts = Parts {
                    data,
                    part,
                    product: rows * columns,
                    row: columns,
                    rows: range,
                    columns: 0..self.output.channels,
                    channels: [self.input.channels, self.output.channels],
                };
                dispatch(Finishing { finish: self.finish, parts, dw });
            });
        });
    }

    /// Rows and columns are dealt to tasks, which find the rows of all patches made.
    fn by_channels(&self, rows: usize, columns: usize, dw: &mut [f32]) {
        let products = self.scheme.rows();
        let total = self.input.images * self.scheme.patches();
        let patches = 128.min(total.next_multiple_of(2)).max(2);
        let rows_of = |len: usize| rows_of::<E>(patches, len);
        let (x_row, dy_row) = (self.scheme.row_len(self.input.channels), columns);
        let sizes = Sizes { patches, x: rows_of(x_row), dy: rows_of(dy_row) };
        let (x_block, dy_block) = (products * sizes.x[1], self.scheme.output_rows() * sizes.dy[1]);
        // As many blocks at a time as the last-level cache keeps.
        let at_once = (20 * 1024 * 1024 / ((x_block + dy_block) * size_of::<E>())).max(1);
        let blocks = total.div_ceil(patches);

        let width = if columns.is_multiple_of(2 * COLUMNS) { 2 * COLUMNS } else { COLUMNS };
        let height = (128 * 1024 / (products * width)).max(14);
        let height = rows.div_ceil(rows.div_ceil(height));
        let (down, across) = (rows.div_ceil(height), columns / width);
        let group_len = products * height * width;
        // One chunk of blocks: a group's sums need not outlive its thread's cache.
        let kept = if blocks > at_once { down * across * group_len } else { 0 };
        let dw = Shared::new(dw);
        scratch::with(kept, |kept: &mut [f32]| {
            let kept = Shared::new(kept);
            for first in (0..blocks).step_by(at_once) {
                let chunk = first..(first + at_once).min(blocks);
                scratch::with(chunk.len() * x_block, |x: &mut [E]| {
                    scratch::with(chunk.len() * dy_block, |dy: &mut [E]| {
                        let places = x.par_chunks_mut(x_block).zip(dy.par_chunks_mut(dy_block));
                        places.zip(chunk.clone()).for_each(|((x, dy), i)| {
                            let block = i * patches..((i + 1) * patches).min(total);
                            dispatch(Gather { of: self, sizes: &sizes, block, x, dy });
                        });
                        let (x, dy) = (&*x, &*dy);
                        (0..down * across).into_par_iter().for_each(|g| {
                            let (i, j) = (g / across, g % across);
                            let group =
                                (i * height..((i + 1) * height).min(rows), j * width..(j + 1) * width);
                            let run = |sums: &mut [f32]| {
                                for (k, (x, dy)) in x.chunks(x_block).zip(dy.chunks(dy_block)).enumerate() {
                                    let block = first + k;
                                    let steps = (total - block * patches).min(patches).div_ceil(E::PAIR);
                                    let write = if block == 0 { Write::Overwrite } else { Write::Add };
                                    let group =
                                        Group { rows: group.0.clone(), columns: group.1.clone(), steps };
                                    self.multiply(&sizes, group, (x, dy), sums, write, &mut Ahead::nothing());
                                }
                                if chunk.end == blocks {
                                    let (height, width) = (group.0.len(), group.1.len());
                                    let parts = Parts {
                                        data: sums,
                                        part: usize::MAX / 2,
                                        product: height * width,
                                        row: width,
                                        rows: group.0.clone(),
                                        columns: group.1.start..group.1.end.min(self.output.channels),
                                        channels: [self.input.channels, self.output.channels],
                                    };
                                    dispatch(Finishing { finish: self.finish, parts, dw });
                                }
                            };
                            if blocks > at_once {
                                // SAFETY: each group has a place of its own.
                                run(unsafe { kept.part(g * group_len, group_len) });
                            } else {
                                scratch::with(group_len, run);
                            }
                        });
                    });
                });
            }
        });
        if blocks == 0 {
            // SAFETY: no task is at work.
            unsafe { dw.part(0, rows * self.output.channels * self.taps()) }.fill(0.0);
        }
    }

    fn taps(&self) -> usize {
        if self.scheme.rows() == 1 { 1 } else { 9 }
    }

    /// The sums of a group, from the rows of some patches.
    fn multiply(
        &self,
        sizes: &Sizes,
        group: Group,
        (x, dy): (&[E], &[E]),
        sums: &mut [f32],
        write: Write,
        ahead: &mut Ahead<AHEAD>,
    ) {
        let (height, width) = (group.rows.len(), group.columns.len());
        for e in 0..self.scheme.rows() {
            let x = &x[e * sizes.x[1] + group.rows.start * E::PAIR..];
            let left = Left { data: x, row: 1, step: sizes.x[0] / E::PAIR };
            let dy = &dy[self.scheme.output_row(e) * sizes.dy[1]..];
            for column in (0..width).step_by(COLUMNS) {
                let data = &dy[(group.columns.start + column) * E::PAIR..];
                let right = Right { data, step: sizes.dy[0] / E::PAIR };
                let place = Place { data: &mut sums[e * height * width + column..], row: width, write };
                product(height, group.steps, left, right, place, ahead);
            }
        }
    }
}

/// Sums, in values, up to which each of a few partial sums may have its own.
const SMALL: usize = 81 * 128 * 64;

struct Gather<'a, 'b, E, P, F> {
    of: &'a WeightGradient<'b, E, P, F>,
    sizes: &'a Sizes,
    block: Range<usize>,
    x: &'a mut [E],
    dy: &'a mut [E],
}

impl<E: Element, P: Scheme, F: Finish> Kernel for Gather<'_, '_, E, P, F> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { of, sizes, block, x, dy } = self;
        if !of.output.channels.is_multiple_of(COLUMNS) {
            dy.fill(E::default()); // columns beyond the last channel
        }
        let patches = Patches::new(&block, of.scheme.grid());
        let rows = Rows { data: x, row: sizes.x[0], next: sizes.x[1] };
        of.scheme.gather(s, &of.x, of.input, patches, Along::Patches, rows);
        let rows = Rows { data: dy, row: sizes.dy[0], next: sizes.dy[1] };
        of.scheme.gather_outputs(s, &of.dy, of.output, patches, rows);
    }
}

/// Some rows and columns of the sums, over some steps.
struct Group {
    rows: Range<usize>,
    columns: Range<usize>,
    steps: usize,
}

struct Finishing<'a, F> {
    finish: F,
    parts: Parts<'a>,
    dw: Shared<'a, f32>,
}

impl<F: Finish> Kernel for Finishing<'_, F> {
    type Output = ();
    const BF16: bool = false;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: each task has rows or columns of its own.
        unsafe { self.finish.finish(s, &self.parts, &self.dw) }
    }
}
