//! Winograd's minimal filtering in one dimension (Winograd 1980; Lavin & Gray 2015), and its adjoints.

use crate::simd::Simd;

/// Inputs of the larger tile.
pub(super) const ROOM: usize = 6;

/// The filtering of one size of tile, of filters of three taps: `IN` inputs to `OUT = IN − 2` outputs by `IN` products.
/// Arrays have room for the larger of the two sizes; what lies beyond is nothing.
pub(crate) trait Tile: Copy + Send + Sync {
    /// Inputs, and products.
    const IN: usize;
    /// Outputs.
    const OUT: usize;

    /// `Bᵀ d`: of inputs.
    fn input<S: Simd>(s: S, d: [S::Lanes; ROOM]) -> [S::Lanes; ROOM];
    /// `Aᵀ m`: of products, to outputs.
    fn output<S: Simd>(s: S, m: [S::Lanes; ROOM]) -> [S::Lanes; ROOM];
    /// `A y`: the adjoint of `output`.
    fn output_adjoint<S: Simd>(s: S, y: [S::Lanes; ROOM]) -> [S::Lanes; ROOM];
    /// `G g`: of taps.
    fn taps<S: Simd>(s: S, g: [S::Lanes; 3]) -> [S::Lanes; ROOM];
    /// `Gᵀ u`: the adjoint of `taps`.
    fn taps_adjoint<S: Simd>(s: S, u: [S::Lanes; ROOM]) -> [S::Lanes; 3];
}

/// F(4, 3). The points are 0, ±5/8, ±3/2 and ∞: with the usual 0, ±1, ±2, ∞ a convolution rounds twice
/// as much. All constants of the tile transforms are exact in f32.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Four;

const P: f32 = 5.0 / 8.0;
const Q: f32 = 3.0 / 2.0;
const P2: f32 = P * P;
const Q2: f32 = Q * Q;
/// What `G` divides by at 0, ±P and ±Q: the product of the differences to the other finite points.
const AT_0: f32 = P2 * Q2;
const AT_P: f32 = 2.0 * P2 * (P2 - Q2);
const AT_Q: f32 = 2.0 * Q2 * (Q2 - P2);

impl Tile for Four {
    const IN: usize = 6;
    const OUT: usize = 4;

    #[inline(always)]
    fn input<S: Simd>(s: S, d: [S::Lanes; ROOM]) -> [S::Lanes; ROOM] {
        let (even_p, odd_p) = (s.scaled_add(-Q2, d[2], d[4]), s.scaled_add(-Q2, d[1], d[3]));
        let (even_q, odd_q) = (s.scaled_add(-P2, d[2], d[4]), s.scaled_add(-P2, d[1], d[3]));
        [
            s.scaled_add(P2 * Q2, d[0], s.scaled_add(-(P2 + Q2), d[2], d[4])),
            s.scaled_add(P, odd_p, even_p),
            s.scaled_add(-P, odd_p, even_p),
            s.scaled_add(Q, odd_q, even_q),
            s.scaled_add(-Q, odd_q, even_q),
            s.scaled_add(P2 * Q2, d[1], s.scaled_add(-(P2 + Q2), d[3], d[5])),
        ]
    }

    #[inline(always)]
    fn output<S: Simd>(s: S, m: [S::Lanes; ROOM]) -> [S::Lanes; ROOM] {
        let (sum_p, difference_p) = (s.add(m[1], m[2]), s.sub(m[1], m[2]));
        let (sum_q, difference_q) = (s.add(m[3], m[4]), s.sub(m[3], m[4]));
        let nothing = s.splat(0.0);
        [
            s.add(s.add(m[0], sum_p), sum_q),
            s.scaled_add(P, difference_p, s.scaled(Q, difference_q)),
            s.scaled_add(P2, sum_p, s.scaled(Q2, sum_q)),
            s.scaled_add(P2 * P, difference_p, s.scaled_add(Q2 * Q, difference_q, m[5])),
            nothing,
            nothing,
        ]
    }

    #[inline(always)]
    fn output_adjoint<S: Simd>(s: S, y: [S::Lanes; ROOM]) -> [S::Lanes; ROOM] {
        let (even_p, odd_p) = (s.scaled_add(P2, y[2], y[0]), s.scaled_add(P2, y[3], y[1]));
        let (even_q, odd_q) = (s.scaled_add(Q2, y[2], y[0]), s.scaled_add(Q2, y[3], y[1]));
        [
            y[0],
            s.scaled_add(P, odd_p, even_p),
            s.scaled_add(-P, odd_p, even_p),
            s.scaled_add(Q, odd_q, even_q),
            s.scaled_add(-Q, odd_q, even_q),
            y[3],
        ]
    }

    #[inline(always)]
    fn taps<S: Simd>(s: S, g: [S::Lanes; 3]) -> [S::Lanes; ROOM] {
        let even_p = s.scaled(1.0 / AT_P, s.scaled_add(P2, g[2], g[0]));
        let even_q = s.scaled(1.0 / AT_Q, s.scaled_add(Q2, g[2], g[0]));
        [
            s.scaled(1.0 / AT_0, g[0]),
            s.scaled_add(P / AT_P, g[1], even_p),
            s.scaled_add(-P / AT_P, g[1], even_p),
            s.scaled_add(Q / AT_Q, g[1], even_q),
            s.scaled_add(-Q / AT_Q, g[1], even_q),
            g[2],
        ]
    }

    #[inline(always)]
    fn taps_adjoint<S: Simd>(s: S, u: [S::Lanes; ROOM]) -> [S::Lanes; 3] {
        let (sum_p, sum_q) =
            (s.scaled(1.0 / AT_P, s.add(u[1], u[2])), s.scaled(1.0 / AT_Q, s.add(u[3], u[4])));
        let odd = s.scaled(Q / AT_Q, s.sub(u[3], u[4]));
        [
            s.scaled_add(1.0 / AT_0, u[0], s.add(sum_p, sum_q)),
            s.scaled_add(P / AT_P, s.sub(u[1], u[2]), odd),
            s.scaled_add(P2, sum_p, s.scaled_add(Q2, sum_q, u[5])),
        ]
    }
}

/// F(2, 3), with the points 0, ±1 and ∞. It rounds like direct sums.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Two;

impl Tile for Two {
    const IN: usize = 4;
    const OUT: usize = 2;

    #[inline(always)]
    fn input<S: Simd>(s: S, d: [S::Lanes; ROOM]) -> [S::Lanes; ROOM] {
        let nothing = s.splat(0.0);
        [s.sub(d[0], d[2]), s.add(d[1], d[2]), s.sub(d[2], d[1]), s.sub(d[3], d[1]), nothing, nothing]
    }

    #[inline(always)]
    fn output<S: Simd>(s: S, m: [S::Lanes; ROOM]) -> [S::Lanes; ROOM] {
        let nothing = s.splat(0.0);
        let (sum, difference) = (s.add(m[1], m[2]), s.sub(m[1], m[2]));
        [s.add(m[0], sum), s.add(difference, m[3]), nothing, nothing, nothing, nothing]
    }

    #[inline(always)]
    fn output_adjoint<S: Simd>(s: S, y: [S::Lanes; ROOM]) -> [S::Lanes; ROOM] {
        let nothing = s.splat(0.0);
        [y[0], s.add(y[0], y[1]), s.sub(y[0], y[1]), y[1], nothing, nothing]
    }

    #[inline(always)]
    fn taps<S: Simd>(s: S, g: [S::Lanes; 3]) -> [S::Lanes; ROOM] {
        let nothing = s.splat(0.0);
        let even = s.scaled(0.5, s.add(g[0], g[2]));
        [g[0], s.scaled_add(0.5, g[1], even), s.scaled_add(-0.5, g[1], even), g[2], nothing, nothing]
    }

    #[inline(always)]
    fn taps_adjoint<S: Simd>(s: S, u: [S::Lanes; ROOM]) -> [S::Lanes; 3] {
        let even = s.scaled(0.5, s.add(u[1], u[2]));
        [s.add(u[0], even), s.scaled(0.5, s.sub(u[1], u[2])), s.add(even, u[3])]
    }
}
