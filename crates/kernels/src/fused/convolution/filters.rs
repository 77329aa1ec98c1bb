//! 3×3 filters of minimal filtering: to the points, and gradients back from there.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // as in `filtering`

use super::product::COLUMNS;
use super::weight_gradient::{Finish, Parts};
use super::weights::{Operand, Weights};
use crate::element::Element;
use crate::fused::shared::Shared;
use crate::prefetch;
use crate::simd::{LANES, Simd};

/// The most values of a filter along an axis; what lies beyond those that there are is nothing.
pub(super) const ROOM: usize = 9;

/// A filtering's transform of filters.
pub(super) trait Filters: Copy + Send + Sync {
    /// Values along an axis.
    const VALUES: usize;

    /// `G g`.
    fn taps<S: Simd>(s: S, g: [S::Lanes; 3]) -> [S::Lanes; ROOM];
    /// `Gᵀ u`: the adjoint of `taps`.
    fn taps_adjoint<S: Simd>(s: S, u: [S::Lanes; ROOM]) -> [S::Lanes; 3];
    /// The row of factors that a value is multiplied with.
    fn row(&self, y: usize, x: usize) -> usize;
}

/// `G g Gᵀ`. Each filter goes to many places far from each other, which no hardware foresees: the next one's are asked for
/// meanwhile.
impl<F: Filters> Operand for F {
    fn rows(&self) -> usize {
        F::VALUES * F::VALUES
    }

    fn depth(&self, channels: usize) -> usize {
        channels
    }

    #[inline(always)]
    fn pack<S: Simd, E: Element>(&self, s: S, weights: &Weights, n: usize, to: &mut [E]) {
        let depth = weights.summed().next_multiple_of(E::PAIR);
        let mut pair = [[[s.splat(0.0); ROOM]; ROOM]; 2];
        for k in (0..weights.summed()).step_by(LANES) {
            for v in 0..COLUMNS / LANES {
                let nine = weights.nine(s, k, n + v * LANES);
                for i in (0..LANES.min(depth - k)).step_by(E::PAIR) {
                    for j in 0..E::PAIR {
                        at_points::<S, F>(s, &nine, i + j, &mut pair[j]);
                        if v == 0 {
                            weights.ahead(k + LANES, n, i + j);
                        }
                    }
                    for y in 0..F::VALUES {
                        for x in 0..F::VALUES {
                            let at = (self.row(y, x) * depth + k + i) * COLUMNS + v * LANES * E::PAIR;
                            E::store_factors(s, pair[0][y][x], pair[E::PAIR - 1][y][x], &mut to[at..]);
                            prefetch::line(to, at + E::PAIR * COLUMNS);
                        }
                    }
                }
            }
        }
    }
}

/// `G g Gᵀ` of the filters of summed channel `i`.
#[inline(always)]
fn at_points<S: Simd, F: Filters>(
    s: S,
    nine: &[[S::Lanes; LANES]; 9],
    i: usize,
    to: &mut [[S::Lanes; ROOM]; ROOM],
) {
    let mut half = [[s.splat(0.0); 3]; ROOM];
    for x in 0..3 {
        let done = F::taps(s, [nine[x][i], nine[3 + x][i], nine[6 + x][i]]);
        for y in 0..F::VALUES {
            half[y][x] = done[y];
        }
    }
    for y in 0..F::VALUES {
        to[y] = F::taps(s, half[y]);
    }
}

/// `Gᵀ u G`.
impl<F: Filters> Finish for F {
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, s: S, parts: &Parts, dw: &Shared<f32>) {
        let zero = s.splat(0.0);
        for i in 0..parts.rows.len() {
            for column in parts.columns.clone().step_by(LANES) {
                let mut half = [[zero; ROOM]; 3];
                for x in 0..F::VALUES {
                    let mut u = [zero; ROOM];
                    for y in 0..F::VALUES {
                        u[y] = parts.lanes(s, self.row(y, x), i, column - parts.columns.start);
                    }
                    let done = F::taps_adjoint(s, u);
                    for y in 0..3 {
                        half[y][x] = done[y];
                    }
                }
                for y in 0..3 {
                    let done = F::taps_adjoint(s, half[y]);
                    for x in 0..3 {
                        // SAFETY: the caller's promise.
                        unsafe { parts.write(s, (y * 3 + x, i, column), done[x], dw) };
                    }
                }
            }
        }
    }
}
