//! Weight gradients: the rows of inputs and of output gradients of many patches, multiplied along the patches.
#![allow(unsafe_code)]

mod by_channels;
mod by_patches;
mod finish;

use std::ops::Range;

use super::pass::spread;
use super::product::{AHEAD, COLUMNS, Left, Place, Right, product};
use super::scheme::{Adjoint, Along, Panels, Patches, Rows};
use crate::element::Element;
use crate::fused::shared::Shared;
use crate::fused::{Extent, Source, Write};
use crate::isa::Kernel;
use crate::prefetch::{Ahead, Region};
use crate::simd::Simd;

pub(super) use finish::{Direct, Finish, Parts};

/// One weight gradient.
pub(super) struct WeightGradient<'a, E, P, F> {
    pub(super) scheme: P,
    pub(super) finish: F,
    pub(super) x: Source<'a, E>,
    pub(super) input: Extent,
    pub(super) dy: Source<'a, E>,
    pub(super) output: Extent,
}

/// How an operand's values lie: in panels of channels; in a panel row after row, of each the values of all patches.
#[derive(Clone, Copy)]
struct Lie {
    panels: Panels,
    /// From one patch's values (or a pair's) to the next one's.
    patch: usize,
    /// From one row to the next.
    next: usize,
    /// Values of all.
    len: usize,
}

impl Lie {
    /// Of `rows` rows of `channels` channels, in panels of `width`.
    fn new<E: Element>([rows, channels]: [usize; 2], width: usize, patches: usize) -> Self {
        // A row of factors holds the values of `PAIR` patches.
        let patch = spread::<E>(width * E::PAIR);
        let next = spread::<E>(patches / E::PAIR * patch);
        let panels = Panels { width, step: rows * next };
        Self { panels, patch, next, len: channels.div_ceil(width) * rows * next }
    }

    fn rows<E>(self, data: &mut [E]) -> Rows<'_, E> {
        let Self { panels, patch: row, next, .. } = self;
        Rows { data, row, next, panels }
    }

    /// Where a row's values of a channel begin.
    fn at<E: Element>(&self, row: usize, channel: usize) -> usize {
        row * self.next + self.panels.at::<E>(channel)
    }
}

impl<E: Element, P: Adjoint, F: Finish> WeightGradient<'_, E, P, F> {
    pub(super) fn run(&self, rows: usize, dw: &mut [f32]) {
        let columns = self.output.channels.next_multiple_of(COLUMNS);
        let sums = self.scheme.rows() * rows * columns;
        if sums <= SMALL { self.by_patches(rows, columns, dw) } else { self.by_channels(rows, columns, dw) }
    }

    fn taps(&self) -> usize {
        if self.scheme.rows() == 1 { 1 } else { 9 }
    }

    /// A group's sums of row `e`, from some patches.
    fn multiply(
        &self,
        e: usize,
        group: &Group,
        (x, x_lie): (&[E], Lie),
        (dy, dy_lie): (&[E], Lie),
        sums: &mut [f32],
        ahead: &mut Ahead<AHEAD>,
    ) {
        let (height, width) = (group.rows.len(), group.columns.len());
        let data = &x[x_lie.at::<E>(e, group.rows.start)..];
        let left = Left { data, row: 1, step: x_lie.patch / E::PAIR };
        for column in (0..width).step_by(COLUMNS) {
            let data = &dy[dy_lie.at::<E>(self.scheme.output_row(e), group.columns.start + column)..];
            let right = Right { data, step: dy_lie.patch / E::PAIR };
            let first = e * height * width + column;
            if size_of_val(sums) > GROUP && e + 1 < self.scheme.rows() {
                let next = Region { first: first + height * width, len: COLUMNS, step: width, runs: height };
                ahead.add_near(sums, &next);
            }
            let place = Place { data: &mut sums[first..], row: width, write: group.write };
            product(height, group.steps, left, right, place, ahead);
        }
    }
}

/// Bytes of a group's sums. They are made row by row, and only those of a row need to stay near; the larger the group, the fewer
/// times the factors are read.
const GROUP: usize = 1024 * 1024;

/// Sums, in values, up to which each of a few partial sums may have its own.
const SMALL: usize = 81 * 128 * 64;

/// Some rows and columns of the sums, over some steps.
struct Group {
    rows: Range<usize>,
    columns: Range<usize>,
    steps: usize,
    write: Write,
}

/// Makes the rows of inputs.
struct GatherInputs<'a, 'b, E, P, F> {
    of: &'a WeightGradient<'b, E, P, F>,
    block: Range<usize>,
    to: (&'a mut [E], Lie),
}

impl<E: Element, P: Adjoint, F: Finish> Kernel for GatherInputs<'_, '_, E, P, F> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { of, block, to: (to, lie) } = self;
        let patches = Patches::new(&block, of.scheme.grid());
        of.scheme.gather(s, &of.x, of.input, patches, Along::Patches, lie.rows(to));
    }
}

/// Makes the rows of the outputs' gradients.
struct GatherOutputs<'a, 'b, E, P, F> {
    of: &'a WeightGradient<'b, E, P, F>,
    block: Range<usize>,
    to: (&'a mut [E], Lie),
}

impl<E: Element, P: Adjoint, F: Finish> Kernel for GatherOutputs<'_, '_, E, P, F> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { of, block, to: (to, lie) } = self;
        if !of.output.channels.is_multiple_of(COLUMNS) {
            to.fill(E::default()); // columns beyond the last channel
        }
        let patches = Patches::new(&block, of.scheme.grid());
        of.scheme.gather_outputs(s, &of.dy, of.output, patches, lie.rows(to));
    }
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
