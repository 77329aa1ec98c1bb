//! 3×3 weights at the points, and gradients back from there.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // as in `tiles`

use super::order::{ALL, BY_PHASE, PLACES, ROW_AT};
use super::transforms::{VALUES, taps, taps_adjoint};
use crate::element::Element;
use crate::fused::convolution::product::COLUMNS;
use crate::fused::convolution::weight_gradient::{Finish, Parts};
use crate::fused::convolution::weights::{Operand, Weights};
use crate::fused::shared::Shared;
use crate::simd::{LANES, Simd};

/// Weights of a forward pass; and the end of a weight gradient.
#[derive(Debug, Clone, Copy)]
pub(in crate::fused::convolution) struct StridedTaps;

/// Weights of an input gradient, phase by phase.
#[derive(Debug, Clone, Copy)]
pub(in crate::fused::convolution) struct TurnedTaps;

impl Operand for StridedTaps {
    fn rows(&self) -> usize {
        ALL
    }

    fn depth(&self, channels: usize) -> usize {
        channels
    }

    #[inline(always)]
    fn pack<S: Simd, E: Element>(&self, s: S, weights: &Weights, n: usize, to: &mut [E]) {
        pack(s, weights, n, to, &PLACES);
    }
}

impl Operand for TurnedTaps {
    fn rows(&self) -> usize {
        ALL
    }

    fn depth(&self, channels: usize) -> usize {
        channels
    }

    #[inline(always)]
    fn pack<S: Simd, E: Element>(&self, s: S, weights: &Weights, n: usize, to: &mut [E]) {
        pack(s, weights, n, to, &BY_PHASE);
    }
}

/// The filters at all points, in an order of places.
#[inline(always)]
fn pack<S: Simd, E: Element>(s: S, weights: &Weights, n: usize, to: &mut [E], order: &[usize; ALL]) {
    let depth = weights.summed().next_multiple_of(E::PAIR);
    let mut pair = [[s.splat(0.0); ALL]; 2];
    for v in 0..COLUMNS / LANES {
        for k in (0..weights.summed()).step_by(LANES) {
            let nine = weights.nine(s, k, n + v * LANES);
            for i in (0..LANES.min(depth - k)).step_by(E::PAIR) {
                for j in 0..E::PAIR {
                    transform(s, &nine, i + j, &mut pair[j]);
                }
                for (e, &place) in order.iter().enumerate() {
                    let at = (e * depth + k + i) * COLUMNS + v * LANES * E::PAIR;
                    E::store_factors(s, pair[0][place], pair[E::PAIR - 1][place], &mut to[at..]);
                }
            }
        }
    }
}

/// `G g Gᵀ` of the filters of summed channel `i`, row by row.
#[inline(always)]
fn transform<S: Simd>(s: S, nine: &[[S::Lanes; LANES]; 9], i: usize, to: &mut [S::Lanes; ALL]) {
    let mut half = [[s.splat(0.0); 3]; VALUES];
    for x in 0..3 {
        let done = taps(s, [nine[x][i], nine[3 + x][i], nine[6 + x][i]]);
        for y in 0..VALUES {
            half[y][x] = done[y];
        }
    }
    for y in 0..VALUES {
        let done = taps(s, half[y]);
        for x in 0..VALUES {
            to[y * VALUES + x] = done[x];
        }
    }
}

/// `Gᵀ u G`.
impl Finish for StridedTaps {
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, s: S, parts: &Parts, dw: &Shared<f32>) {
        for i in 0..parts.rows.len() {
            for column in parts.columns.clone().step_by(LANES) {
                let zero = s.splat(0.0);
                let mut half = [[zero; VALUES]; 3];
                for x in 0..VALUES {
                    let mut u = [zero; VALUES];
                    for y in 0..VALUES {
                        u[y] = parts.lanes(s, ROW_AT[y * VALUES + x], i, column - parts.columns.start);
                    }
                    let done = taps_adjoint(s, u);
                    for y in 0..3 {
                        half[y][x] = done[y];
                    }
                }
                for y in 0..3 {
                    let done = taps_adjoint(s, half[y]);
                    for x in 0..3 {
                        // SAFETY: the caller's promise.
                        unsafe { parts.write(s, (y * 3 + x, i, column), done[x], dw) };
                    }
                }
            }
        }
    }
}
