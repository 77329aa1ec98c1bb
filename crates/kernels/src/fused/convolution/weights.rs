//! Weights as right operands: transformed where the scheme says so, in chunks of columns, factor by factor.
#![allow(clippy::needless_range_loop)] // as in `filtering`

use super::product::COLUMNS;
use crate::convolution::Conv2dShape;
use crate::element::Element;
use crate::fused::read::load_some;
use crate::prefetch;
use crate::simd::{LANES, Simd};

/// Which way the weights are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// From input to output channels.
    None,
    /// From output to input channels, the taps in reverse: the adjoint.
    Around,
}

/// A convolution's weights `(KH, KW, C_in, C_out)` as the right operand of its products.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights<'a> {
    pub(super) values: &'a [f32],
    pub(super) channels: [usize; 2],
    pub(super) turn: Turn,
}

impl<'a> Weights<'a> {
    pub(super) fn new(shape: &Conv2dShape, values: &'a [f32], turn: Turn) -> Self {
        Self { values, channels: [shape.in_channels, shape.out_channels], turn }
    }

    /// Channels that are summed over.
    pub(super) fn summed(&self) -> usize {
        self.channels[usize::from(self.turn == Turn::Around)]
    }

    /// Channels that come out.
    pub(super) fn columns(&self) -> usize {
        self.channels[usize::from(self.turn == Turn::None)]
    }

    /// The rows of sixteen summed channels from `k` on, of sixteen columns from `n` on, at `tap`; zeros beyond the last.
    #[inline(always)]
    fn square<S: Simd>(&self, s: S, tap: usize, k: usize, n: usize) -> [S::Lanes; LANES] {
        let [c_in, c_out] = self.channels;
        let (row, column) = if self.turn == Turn::None { (k, n) } else { (n, k) };
        let mut rows = [s.splat(0.0); LANES];
        for i in 0..LANES {
            if row + i < c_in && column < c_out {
                let at = (tap * c_in + row + i) * c_out + column;
                rows[i] = load_some(s, self.values, at, LANES.min(c_out - column));
            }
        }
        if self.turn == Turn::None { rows } else { s.transpose(&rows) }
    }

    /// Asks for number `i` of sixteen parts of what the squares at `k`, and those of the chunk of columns `n`, are made of.
    #[inline(always)]
    pub(super) fn ahead(&self, k: usize, n: usize, i: usize) {
        let [c_in, c_out] = self.channels;
        for tap in 0..9 {
            for v in (0..COLUMNS).step_by(LANES) {
                let (row, column) = if self.turn == Turn::None { (k + i, n + v) } else { (n + v + i, k) };
                prefetch::line(self.values, (tap * c_in + row) * c_out + column);
            }
        }
    }

    /// The squares of all taps of a 3×3 filter, turned around if the weights are.
    #[inline(always)]
    pub(super) fn nine<S: Simd>(&self, s: S, k: usize, n: usize) -> [[S::Lanes; LANES]; 9] {
        let mut taps = [[s.splat(0.0); LANES]; 9];
        for t in 0..9 {
            let tap = if self.turn == Turn::None { t } else { 8 - t };
            taps[t] = self.square(s, tap, k, n);
        }
        taps
    }
}

/// How a scheme's weights become operands.
pub(super) trait Operand: Copy + Send + Sync {
    /// What a scheme's rows are multiplied with, all its phases' together.
    fn rows(&self) -> usize;
    /// Values of each along the summed axis, for `channels` summed channels.
    fn depth(&self, channels: usize) -> usize;

    /// Writes the chunk of [`COLUMNS`] columns from `n` on: for each row its `depth` values, each pair (or each single
    /// one, according to `E`) for all columns side by side.
    fn pack<S: Simd, E: Element>(&self, s: S, weights: &Weights, n: usize, to: &mut [E]);

    /// Values of a chunk.
    fn chunk_len<E: Element>(&self, channels: usize) -> usize {
        self.rows() * self.depth(channels).next_multiple_of(E::PAIR) * COLUMNS
    }
}

/// Weights as they are, some of their taps one after another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps<'a>(pub(super) &'a [usize]);

impl Operand for Taps<'_> {
    fn rows(&self) -> usize {
        1
    }

    fn depth(&self, channels: usize) -> usize {
        self.0.len() * channels
    }

    #[inline(always)]
    fn pack<S: Simd, E: Element>(&self, s: S, weights: &Weights, n: usize, to: &mut [E]) {
        let summed = weights.summed();
        if !self.depth(summed).is_multiple_of(E::PAIR) {
            let last = to.len() - E::PAIR * COLUMNS;
            to[last..].fill(E::default());
        }
        for (t, tap) in self.0.iter().enumerate() {
            for v in 0..COLUMNS / LANES {
                for k in (0..summed).step_by(LANES) {
                    let square = weights.square(s, *tap, k, n + v * LANES);
                    let rows = LANES.min(summed - k);
                    if summed.is_multiple_of(E::PAIR) {
                        for i in (0..rows).step_by(E::PAIR) {
                            let at = (t * summed + k + i) * COLUMNS + v * LANES * E::PAIR;
                            E::store_factors(s, square[i], square[i + E::PAIR - 1], &mut to[at..]);
                        }
                    } else {
                        // Pairs across two taps.
                        for i in 0..rows {
                            let mut values = [0.0; LANES];
                            s.store(square[i], &mut values);
                            let row = t * summed + k + i;
                            let at = row / E::PAIR * E::PAIR * COLUMNS + row % E::PAIR;
                            for (j, value) in values.into_iter().enumerate() {
                                to[at + (v * LANES + j) * E::PAIR] = E::from_f32(value);
                            }
                        }
                    }
                }
            }
        }
    }
}
