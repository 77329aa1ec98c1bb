//! From sums to a gradient.
#![allow(unsafe_code)]

use std::ops::Range;

use crate::element::private::Sealed;
use crate::fused::read::load;
use crate::fused::shared::Shared;
use crate::simd::{LANES, Simd};

/// How sums over all patches become the weight's gradient.
pub(in crate::fused::convolution) trait Finish: Copy + Send + Sync {
    /// Sums the `parts`, each matrices of `rows` × `width` values, for the rows `first..first + count` of channels
    /// and the columns from `column` on, and writes the result to `dw`.
    ///
    /// # Safety
    /// Meanwhile no other thread uses these rows and columns of `dw`.
    unsafe fn finish<S: Simd>(&self, s: S, parts: &Parts, dw: &Shared<f32>);
}

/// Sums of some rows (and columns) of all products (one for each of a patch's rows), in one or several parts to be added.
pub(in crate::fused::convolution) struct Parts<'a> {
    pub(super) data: &'a [f32],
    /// From one part to the next.
    pub(super) part: usize,
    /// From one product to the next.
    pub(super) product: usize,
    /// From one row to the next.
    pub(super) row: usize,
    /// Rows of the operand that these are.
    pub(in crate::fused::convolution) rows: Range<usize>,
    /// Channels of the output that these are.
    pub(in crate::fused::convolution) columns: Range<usize>,
    /// Channels of input and output.
    pub(super) channels: [usize; 2],
}

impl Parts<'_> {
    /// Sixteen sums over all parts.
    #[inline(always)]
    pub(in crate::fused::convolution) fn lanes<S: Simd>(
        &self,
        s: S,
        e: usize,
        row: usize,
        column: usize,
    ) -> S::Lanes {
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
    pub(in crate::fused::convolution) unsafe fn write<S: Simd>(
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
pub(in crate::fused::convolution) struct Direct;

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
