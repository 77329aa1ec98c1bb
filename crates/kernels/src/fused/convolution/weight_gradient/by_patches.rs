//! Weight gradients of few channels.

use rayon::prelude::*;

use super::{Finish, Finishing, GatherInputs, GatherOutputs, Group, Lie, Parts, SMALL, WeightGradient};
use crate::element::Element;
use crate::fused::Write;
use crate::fused::convolution::MOST_PATCHES;
use crate::fused::convolution::blocking::{Blocking, NEAR};
use crate::fused::convolution::product::{COLUMNS, steps};
use crate::fused::convolution::scheme::{Adjoint, portion};
use crate::fused::shared::Shared;
use crate::isa::dispatch;
use crate::prefetch::Ahead;
use crate::scratch;

impl<E: Element, P: Adjoint, F: Finish> WeightGradient<'_, E, P, F> {
    /// The patches are dealt to a few partial sums.
    pub(super) fn by_patches(&self, rows: usize, columns: usize, dw: &mut [f32]) {
        let (products, x_row) = (self.scheme.rows(), self.scheme.row_len(self.input.channels));
        let values = x_row * products + columns * self.scheme.output_rows();
        let patches =
            (NEAR / (values * size_of::<E>())).clamp(Blocking::current().summed, MOST_PATCHES) / 2 * 2;
        let x_lie = Lie::new::<E>([products, x_row], x_row, patches);
        let dy_lie = Lie::new::<E>([self.scheme.output_rows(), columns], columns, patches);
        let total = self.input.images * self.scheme.patches();
        // Not of the number of threads: results must not depend on it.
        let part = products * rows * columns;
        let splits = total.div_ceil(patches).clamp(1, if part <= SMALL / 4 { 8 } else { 4 });
        scratch::with(splits * part, |sums: &mut [f32]| {
            sums.par_chunks_mut(part).enumerate().for_each(|(split, sums)| {
                let share = total * split / splits..total * (split + 1) / splits;
                scratch::with(x_lie.len, |x: &mut [E]| {
                    scratch::with(dy_lie.len, |dy: &mut [E]| {
                        let mut write = Write::Overwrite;
                        for first in share.clone().step_by(patches) {
                            let block = first..(first + patches).min(share.end);
                            let (end, depth) = (block.end, block.len().div_ceil(E::PAIR));
                            dispatch(GatherInputs { of: self, block: block.clone(), to: (x, x_lie) });
                            dispatch(GatherOutputs { of: self, block, to: (dy, dy_lie) });
                            // What the next block reads.
                            let next = end..(end + patches).min(total);
                            let mut ahead = Ahead::nothing();
                            self.x.ahead(&self.scheme.reads(&next, self.input), &mut ahead);
                            let outputs = portion(&next, self.scheme.patches(), self.output);
                            self.dy.ahead(&outputs, &mut ahead);
                            let all = depth * products * columns / COLUMNS;
                            let mut ahead = ahead.in_steps(steps::<E>(rows, all));
                            let group = Group { rows: 0..rows, columns: 0..columns, steps: depth, write };
                            for e in 0..products {
                                self.multiply(e, &group, (x, x_lie), (dy, dy_lie), sums, &mut ahead);
                            }
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
}
