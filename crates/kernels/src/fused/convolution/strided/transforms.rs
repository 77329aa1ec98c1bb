//! Minimal filtering at stride two (Winograd 1980), and its adjoints. Every second input meets the outer two taps of a filter
//! of three, the inputs between meet the one in the middle: a filter of two taps and a filter of one, each of stride 1. The
//! first is F(4, 2), by five points; the second needs any four of them, so that both are summed point by point.

use crate::simd::Simd;

/// Outputs of a tile, along one axis.
pub(in crate::fused::convolution) const OUT: usize = 4;
/// Points.
pub(super) const POINTS: usize = 5;
/// Values of a tile of inputs at all points: [`POINTS`] of the inputs under the outer taps, then [`OUT`] of those under the
/// middle one, which has none at infinity.
pub(super) const VALUES: usize = POINTS + OUT;

/// The points are 0, ±P, Q and ∞. Of those whose constants are exact in f32, these are among the ones that lose least to bf16
/// (10e-3 of the rms in all three passes; with 0, ±1, 2, ∞ up to 17e-3, F(4, 3): 12e-3).
const P: f32 = 5.0 / 4.0;
const Q: f32 = 1.0 / 2.0;
const P2: f32 = P * P;
const Q2: f32 = Q * Q;
/// What `G` divides by at 0, P, −P and Q: the product of the differences to the other finite points.
const AT_0: f32 = P2 * Q;
const AT_P: f32 = 2.0 * P2 * (P - Q);
const AT_MINUS_P: f32 = -2.0 * P2 * (P + Q);
const AT_Q: f32 = Q * (Q2 - P2);

/// `Bᵀ d`: of the inputs under the outer taps.
#[inline(always)]
pub(super) fn outer<S: Simd>(s: S, d: [S::Lanes; POINTS]) -> [S::Lanes; POINTS] {
    let [a, b, c, e] = middle(s, [d[0], d[1], d[2], d[3]]);
    let (o, f) = (s.scaled_add(-Q, d[1], d[2]), s.scaled_add(-Q, d[3], d[4]));
    [a, b, c, e, s.scaled_add(-P2, o, f)]
}

/// `Bᵀ d`: of the inputs under the middle tap.
#[inline(always)]
pub(super) fn middle<S: Simd>(s: S, d: [S::Lanes; OUT]) -> [S::Lanes; OUT] {
    let n = s.scaled_add(-Q, d[0], d[1]);
    let o = s.scaled_add(-Q, d[1], d[2]);
    let e = s.scaled_add(-Q, d[2], d[3]);
    [s.scaled_add(-P2, n, e), s.scaled_add(P, o, e), s.scaled_add(-P, o, e), s.scaled_add(-P2, d[1], d[3])]
}

/// Of a whole tile of inputs, `2 · OUT + 1` in a row.
#[inline(always)]
pub(super) fn input<S: Simd>(s: S, d: [S::Lanes; VALUES]) -> [S::Lanes; VALUES] {
    let [a, b, c, e, f] = outer(s, [d[0], d[2], d[4], d[6], d[8]]);
    let [g, h, i, j] = middle(s, [d[1], d[3], d[5], d[7]]);
    [a, b, c, e, f, g, h, i, j]
}

/// `Aᵀ m`: of sums, to outputs.
#[inline(always)]
pub(super) fn output<S: Simd>(s: S, m: [S::Lanes; POINTS]) -> [S::Lanes; OUT] {
    let (sum, difference) = (s.add(m[1], m[2]), s.sub(m[1], m[2]));
    [
        s.add(s.add(m[0], sum), m[3]),
        s.scaled_add(P, difference, s.scaled(Q, m[3])),
        s.scaled_add(P2, sum, s.scaled(Q2, m[3])),
        s.scaled_add(P2 * P, difference, s.scaled_add(Q2 * Q, m[3], m[4])),
    ]
}

/// `A y`: the adjoint of `output`.
#[inline(always)]
pub(super) fn output_adjoint<S: Simd>(s: S, y: [S::Lanes; OUT]) -> [S::Lanes; POINTS] {
    let (even, odd) = (s.scaled_add(P2, y[2], y[0]), s.scaled_add(P2, y[3], y[1]));
    let at_q = s.scaled_add(Q, s.scaled_add(Q2, y[3], y[1]), s.scaled_add(Q2, y[2], y[0]));
    [y[0], s.scaled_add(P, odd, even), s.scaled_add(-P, odd, even), at_q, y[3]]
}

/// `G g`: of three taps.
#[inline(always)]
pub(super) fn taps<S: Simd>(s: S, g: [S::Lanes; 3]) -> [S::Lanes; VALUES] {
    [
        s.scaled(1.0 / AT_0, g[0]),
        s.scaled_add(P / AT_P, g[2], s.scaled(1.0 / AT_P, g[0])),
        s.scaled_add(-P / AT_MINUS_P, g[2], s.scaled(1.0 / AT_MINUS_P, g[0])),
        s.scaled_add(Q / AT_Q, g[2], s.scaled(1.0 / AT_Q, g[0])),
        g[2],
        s.scaled(1.0 / AT_0, g[1]),
        s.scaled(1.0 / AT_P, g[1]),
        s.scaled(1.0 / AT_MINUS_P, g[1]),
        s.scaled(1.0 / AT_Q, g[1]),
    ]
}

/// `Gᵀ u`: the adjoint of `taps`.
#[inline(always)]
pub(super) fn taps_adjoint<S: Simd>(s: S, u: [S::Lanes; VALUES]) -> [S::Lanes; 3] {
    let both = s.scaled_add(P / AT_P, u[1], s.scaled(-P / AT_MINUS_P, u[2]));
    [
        finite(s, [u[0], u[1], u[2], u[3]]),
        finite(s, [u[5], u[6], u[7], u[8]]),
        s.add(s.scaled_add(Q / AT_Q, u[3], both), u[4]),
    ]
}

/// What all finite points of one tap add up to.
#[inline(always)]
fn finite<S: Simd>(s: S, u: [S::Lanes; OUT]) -> S::Lanes {
    let both = s.scaled_add(1.0 / AT_P, u[1], s.scaled(1.0 / AT_MINUS_P, u[2]));
    s.scaled_add(1.0 / AT_0, u[0], s.scaled_add(1.0 / AT_Q, u[3], both))
}
