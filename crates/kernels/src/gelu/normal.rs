//! The standard normal distribution in f32, sixteen places at a time.

use crate::simd::Simd;

/// Distribution function and density.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Normal<L> {
    /// `Φ(x)`, to within 1e-7 and, left of 0, some 1e-6 of itself.
    pub distribution: L,
    /// `φ(x) = e^(−x²/2)/√(2π)`.
    pub density: L,
}

/// `t = 1/(1 + SLOPE·|x|)`.
const SLOPE: f32 = 0.27;

/// `Φ(−|x|)·e^(x²/2) = t·Σ TAIL[k]·t^k`, within 2.4e-8 of itself for `|x| < 14`: the least greatest relative error, by
/// reweighted least squares (Lawson 1961) at 400 Chebyshev points in t.
const TAIL: [f32; 9] = [
    0.107_720_18,
    0.107_550_5,
    0.101_759_23,
    0.072_24,
    0.107_400_18,
    -0.068_622_14,
    0.169_292_5,
    -0.126_255_81,
    0.028_915_39,
];

/// `1/√(2π)`.
const DENSITY_AT_0: f32 = 0.398_942_3;

impl<L: Copy> Normal<L> {
    #[inline(always)]
    pub(crate) fn at<S: Simd<Lanes = L>>(s: S, x: L) -> Self {
        let (zero, one) = (s.splat(0.0), s.splat(1.0));
        let exponential = exp(s, s.mul(s.scaled(-0.5, x), x));
        let magnitude = s.max(x, s.sub(zero, x));
        let t = s.div(one, s.scaled_add(SLOPE, magnitude, one));
        let tail = s.mul(s.mul(exponential, t), polynomial(s, &TAIL, t));
        // Right of 0 the rest of 1: that is where both have digits to lose none.
        let distribution = s.where_larger_or_nan(x, zero, s.sub(one, tail), tail);
        Self { distribution, density: s.scaled(DENSITY_AT_0, exponential) }
    }
}

/// `e^v` for `v ≤ 0`, within 2e-7 of itself; 0 from −87 on, short of where f32 loses digits. The polynomial is that of Cephes'
/// `expf` (Moshier).
#[inline(always)]
fn exp<S: Simd>(s: S, v: S::Lanes) -> S::Lanes {
    const LOWEST: f32 = -87.0;
    /// Adding it leaves a number's nearest integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0; // 1.5·2²³
    /// ln 2 in two parts, the first with few enough bits that its products with integers are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const COEFFICIENTS: [f32; 8] =
        [1.0, 1.0, 0.5, 0.166_666_65, 4.166_579_6e-2, 8.333_452e-3, 1.398_2e-3, 1.987_569_1e-4];
    let clamped = s.max(s.splat(LOWEST), v); // this way round NaN passes
    let shifted = s.scaled_add(std::f32::consts::LOG2_E, clamped, s.splat(ROUND));
    let n = s.sub(shifted, s.splat(ROUND));
    let r = s.scaled_add(-LN_2[1], n, s.scaled_add(-LN_2[0], n, clamped));
    let power = s.power_of_two(shifted);
    let value = s.mul(polynomial(s, &COEFFICIENTS, r), power);
    s.where_larger_or_nan(v, s.splat(LOWEST), value, s.splat(0.0))
}

/// `Σ coefficients[k]·x^k`.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, coefficients: &[f32; N], x: S::Lanes) -> S::Lanes {
    let mut sum = s.splat(coefficients[N - 1]);
    for c in coefficients[..N - 1].iter().rev() {
        sum = s.mul_add(sum, x, s.splat(*c));
    }
    sum
}
