//! Weight gradients of many channels.
#![allow(unsafe_code)]

use std::ops::Range;

use rayon::prelude::*;

use super::{Finish, Finishing, GROUP, GatherInputs, GatherOutputs, Group, Lie, Parts, WeightGradient};
use crate::element::Element;
use crate::fused::Write;
use crate::fused::convolution::product::{COLUMNS, steps};
use crate::fused::convolution::scheme::Adjoint;
use crate::fused::shared::Shared;
use crate::isa::dispatch;
use crate::prefetch::{Ahead, Region};
use crate::scratch;
use crate::simd::LANES;

impl<E: Element, P: Adjoint, F: Finish> WeightGradient<'_, E, P, F> {
    /// Rows and columns are dealt to tasks, which find the rows of all patches made.
    pub(super) fn by_channels(&self, rows: usize, columns: usize, dw: &mut [f32]) {
        let products = self.scheme.rows();
        let total = self.input.images * self.scheme.patches();
        let patches = 128.min(total.next_multiple_of(2)).max(2);
        let blocks = total.div_ceil(patches);
        let width = if columns.is_multiple_of(2 * COLUMNS) { 2 * COLUMNS } else { COLUMNS };
        let height = (GROUP / size_of::<f32>() / (products * width)).max(LANES);
        let height = rows.div_ceil(rows.div_ceil(height)).next_multiple_of(LANES);
        // A group's operands lie together, so that its next one can be asked for while one is multiplied. Where a row holds
        // several taps, their channels do not fall into whole panels.
        let x_row = self.scheme.row_len(self.input.channels);
        let x_panel = if products == 1 { x_row } else { height };
        let x_lie = Lie::new::<E>([products, x_row], x_panel, patches);
        let dy_lie = Lie::new::<E>([self.scheme.output_rows(), columns], width, patches);
        // As many blocks at a time as the last-level cache keeps.
        let at_once = (20 * 1024 * 1024 / ((x_lie.len + dy_lie.len) * size_of::<E>())).max(1);
        let (down, across) = (rows.div_ceil(height), columns / width);
        let group_len = products * height * width;
        // One chunk of blocks: a group's sums need not outlive its thread's cache.
        let kept = if blocks > at_once { down * across * group_len } else { 0 };
        let dw = Shared::new(dw);
        scratch::with(kept, |kept: &mut [f32]| {
            let kept = Shared::new(kept);
            for first in (0..blocks).step_by(at_once) {
                let chunk = first..(first + at_once).min(blocks);
                scratch::with(chunk.len() * x_lie.len, |x: &mut [E]| {
                    scratch::with(chunk.len() * dy_lie.len, |dy: &mut [E]| {
                        let places = x.par_chunks_mut(x_lie.len).zip(dy.par_chunks_mut(dy_lie.len));
                        places.zip(chunk.clone()).for_each(|((x, dy), i)| {
                            let block = i * patches..((i + 1) * patches).min(total);
                            // Of few patches there is one block, whose halves then give two threads something to do.
                            let (inputs, outputs) = ((block.clone(), (x, x_lie)), (block, (dy, dy_lie)));
                            rayon::join(
                                || dispatch(GatherInputs { of: self, block: inputs.0, to: inputs.1 }),
                                || dispatch(GatherOutputs { of: self, block: outputs.0, to: outputs.1 }),
                            );
                        });
                        let (x, dy) = (&*x, &*dy);
                        (0..down * across).into_par_iter().for_each(|g| {
                            let (i, j) = (g / across, g % across);
                            let group =
                                (i * height..((i + 1) * height).min(rows), j * width..(j + 1) * width);
                            let run = |sums: &mut [f32]| {
                                let all = (first * patches..total, patches);
                                self.multiply_all(&group, all, (x, x_lie), (dy, dy_lie), sums);
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

    /// All products of a group, from the patches of some blocks: row after row, whose sums then stay in the nearest caches over
    /// all blocks.
    fn multiply_all(
        &self,
        (rows, columns): &(Range<usize>, Range<usize>),
        (patches, at_most): (Range<usize>, usize),
        (x, x_lie): (&[E], Lie),
        (dy, dy_lie): (&[E], Lie),
        sums: &mut [f32],
    ) {
        let blocks = x.len() / x_lie.len;
        for e in 0..self.scheme.rows() {
            for block in 0..blocks {
                let (x_at, dy_at) = (block * x_lie.len, block * dy_lie.len);
                let left = patches.len() - block * at_most;
                let steps_here = left.min(at_most).div_ceil(E::PAIR);
                let write = if patches.start + block == 0 { Write::Overwrite } else { Write::Add };
                let group = Group { rows: rows.clone(), columns: columns.clone(), steps: steps_here, write };
                // The next product's factors.
                let (e_next, next) = if block + 1 < blocks { (e, block + 1) } else { (e + 1, 0) };
                let mut ahead = Ahead::nothing();
                if e_next < self.scheme.rows() {
                    let mut add = |data: &[E], lie: Lie, row: usize, channel: usize| {
                        let region = Region::run(next * lie.len + lie.at::<E>(row, channel), lie.next);
                        ahead.add(data.as_ptr(), data.len(), &region);
                    };
                    add(x, x_lie, e_next, rows.start);
                    add(dy, dy_lie, self.scheme.output_row(e_next), columns.start);
                }
                let all = steps_here * columns.len() / COLUMNS;
                let mut ahead = ahead.in_steps(steps::<E>(rows.len(), all));
                self.multiply(e, &group, (&x[x_at..], x_lie), (&dy[dy_at..], dy_lie), sums, &mut ahead);
            }
        }
    }
}
