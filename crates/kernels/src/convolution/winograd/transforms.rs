//! The transforms, sixteen channels at a time.
#![allow(clippy::needless_range_loop)] // rows and columns read best by their numbers, and adapters are not reliably inlined

use std::ops::Range;

use super::tiles::Tiles;
use super::weights::{Turn, Weight};
use super::{LANES, PRODUCTS, padded};
use crate::isa::multiversion;
use crate::simd::Simd;

/// The points are 0, ±5/8, ±3/2 and ∞: with them a 3×3 convolution over 256 channels is off by 1.2e-6 of its rms, with the
/// usual 0, ±1, ±2, ∞ by 2.6e-6 (direct sums: 0.25e-6). All constants of the tile transforms are exact in f32.
const P: f32 = 5.0 / 8.0;
const Q: f32 = 3.0 / 2.0;
const P2: f32 = P * P;
const Q2: f32 = Q * Q;
/// What `G` divides by at 0, ±P and ±Q: the product of the differences to the other finite points.
const AT_0: f32 = P2 * Q2;
const AT_P: f32 = 2.0 * P2 * (P2 - Q2);
const AT_Q: f32 = 2.0 * Q2 * (Q2 - P2);

/// `Bᵀ d`.
#[inline(always)]
fn input<S: Simd>(s: S, d: [S::Lanes; 6]) -> [S::Lanes; 6] {
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

/// `Aᵀ m`.
#[inline(always)]
fn output<S: Simd>(s: S, m: [S::Lanes; 6]) -> [S::Lanes; 4] {
    let (sum_p, difference_p) = (s.add(m[1], m[2]), s.sub(m[1], m[2]));
    let (sum_q, difference_q) = (s.add(m[3], m[4]), s.sub(m[3], m[4]));
    [
        s.add(s.add(m[0], sum_p), sum_q),
        s.scaled_add(P, difference_p, s.scaled(Q, difference_q)),
        s.scaled_add(P2, sum_p, s.scaled(Q2, sum_q)),
        s.scaled_add(P2 * P, difference_p, s.scaled_add(Q2 * Q, difference_q, m[5])),
    ]
}

/// `A y`: the adjoint of `output`.
#[inline(always)]
fn output_adjoint<S: Simd>(s: S, y: [S::Lanes; 4]) -> [S::Lanes; 6] {
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

/// `G g`.
#[inline(always)]
fn taps<S: Simd>(s: S, g: [S::Lanes; 3]) -> [S::Lanes; 6] {
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

/// `Gᵀ u`: the adjoint of `taps`.
#[inline(always)]
fn taps_adjoint<S: Simd>(s: S, u: [S::Lanes; 6]) -> [S::Lanes; 3] {
    let (sum_p, sum_q) = (s.scaled(1.0 / AT_P, s.add(u[1], u[2])), s.scaled(1.0 / AT_Q, s.add(u[3], u[4])));
    let odd = s.scaled(Q / AT_Q, s.sub(u[3], u[4]));
    [
        s.scaled_add(1.0 / AT_0, u[0], s.add(sum_p, sum_q)),
        s.scaled_add(P / AT_P, s.sub(u[1], u[2]), odd),
        s.scaled_add(P2, sum_p, s.scaled_add(Q2, sum_q, u[5])),
    ]
}

/// Sixteen values from `at`.
#[inline(always)]
fn load<S: Simd>(s: S, from: &[f32], at: usize) -> S::Lanes {
    match from[at..].first_chunk() {
        Some(lanes) => s.load(lanes),
        // Never: callers stay within their slices, and another panic would only take registers.
        None => s.splat(0.0),
    }
}

/// Writes sixteen values to `at`.
#[inline(always)]
fn store<S: Simd>(s: S, value: S::Lanes, to: &mut [f32], at: usize) {
    if let Some(lanes) = to[at..].first_chunk_mut() {
        s.store(value, lanes);
    }
}

/// Applies a one-dimensional transform from `$n` to `$m` values along both axes: `$read` gives the value in row i and column
/// j, `$write` receives it; `$half` keeps what is half done. A macro, since the compiler does not reliably inline closures
/// that use vector instructions.
macro_rules! both_axes {
    ($s:ident, $half:ident: $n:literal to $m:literal by $transform:ident,
     ($i:ident, $j:ident) => $read:expr, ($k:ident, $l:ident, $value:ident) => $write:expr) => {
        for $j in 0..$n {
            let mut column = [$s.splat(0.0); $n];
            for $i in 0..$n {
                column[$i] = $read;
            }
            let done = $transform($s, column);
            for i in 0..$m {
                $half[i][$j] = done[i];
            }
        }
        for $k in 0..$m {
            let done = $transform($s, $half[$k]);
            for $l in 0..$m {
                let $value = done[$l];
                $write;
            }
        }
    };
}

multiversion! {
    /// `Bᵀ d B` of all tiles in `rows`, of an image tensor of `channels` channels, to `[tile][36][channels]`.
    pub(super) fn transform_inputs[simd](tiles: &Tiles, channels: usize, x: &[f32], rows: Range<usize>, out: &mut [f32]) {
        let mut half = [[simd.splat(0.0); 6]; 6];
        let mut out = out.chunks_exact_mut(padded(PRODUCTS * channels));
        for row in rows {
            for across in 0..tiles.across {
                let Some(out) = out.next() else { return };
                let pixels = tiles.inputs(row, across);
                for c in (0..channels).step_by(LANES) {
                    both_axes!(simd, half: 6 to 6 by input, (i, j) => match pixels[i][j] {
                        Some(pixel) => load(simd, x, pixel * channels + c),
                        None => simd.splat(0.0),
                    }, (i, j, value) => store(simd, value, out, (i * 6 + j) * channels + c));
                }
            }
        }
    }

    /// `A dy Aᵀ` of all tiles in `rows`, of an image tensor of `channels` channels, to `[tile][36][channels]`.
    pub(super) fn transform_output_gradients[simd](tiles: &Tiles, channels: usize, dy: &[f32], rows: Range<usize>, out: &mut [f32]) {
        let mut half = [[simd.splat(0.0); 4]; 6];
        let mut out = out.chunks_exact_mut(padded(PRODUCTS * channels));
        for row in rows {
            for across in 0..tiles.across {
                let Some(out) = out.next() else { return };
                let place = tiles.outputs(row, across);
                for c in (0..channels).step_by(LANES) {
                    both_axes!(simd, half: 4 to 6 by output_adjoint, (i, j) => match place.pixel(i, j) {
                        Some(pixel) => load(simd, dy, pixel * channels + c),
                        None => simd.splat(0.0),
                    }, (i, j, value) => store(simd, value, out, (i * 6 + j) * channels + c));
                }
            }
        }
    }

    /// `Aᵀ m A` of all tiles in `rows`, from `[tile][36][group]` to the channels `group` of `y`, which begins with the first
    /// of `rows` and has `channels` channels.
    pub(super) fn transform_outputs[simd](tiles: &Tiles, m: &[f32], group: Range<usize>, rows: Range<usize>, channels: usize, y: &mut [f32]) {
        let mut half = [[simd.splat(0.0); 6]; 4];
        let mut m = m.chunks_exact(padded(PRODUCTS * group.len()));
        let origin = tiles.outputs(rows.start, 0).first;
        for row in rows {
            for across in 0..tiles.across {
                let Some(m) = m.next() else { return };
                let place = tiles.outputs(row, across);
                for k in (0..group.len()).step_by(LANES) {
                    both_axes!(simd, half: 6 to 4 by output, (i, j) => load(simd, m, (i * 6 + j) * group.len() + k),
                    (i, j, value) => if let Some(pixel) = place.pixel(i, j) {
                        store(simd, value, y, (pixel - origin) * channels + group.start + k);
                    });
                }
            }
        }
    }

    /// `G g Gᵀ` of one group of output channels, to `[36][in][group]`.
    pub(super) fn transform_weights[simd](weight: &Weight, group: Range<usize>, out: &mut [f32]) {
        let stride = padded(weight.in_channels * group.len());
        let zero = simd.splat(0.0);
        let mut half = [[zero; 3]; 6];
        // One value of each of `LANES` output channels, by input channel and tap.
        let mut windows = [[zero; 9]; LANES];
        for c in (0..weight.in_channels).step_by(LANES) {
            for k in group.clone().step_by(LANES) {
                for tap in 0..9 {
                    let mut rows = [zero; LANES];
                    match weight.turn {
                        Turn::None => for i in 0..LANES {
                            rows[i] = load(simd, weight.values, (tap * weight.in_channels + c + i) * weight.out_channels + k);
                        },
                        Turn::Half => {
                            for i in 0..LANES {
                                let row = (8 - tap) * weight.out_channels + k + i;
                                rows[i] = load(simd, weight.values, row * weight.in_channels + c);
                            }
                            rows = simd.transpose(&rows);
                        }
                    }
                    for i in 0..LANES {
                        windows[i][tap] = rows[i];
                    }
                }
                for n in 0..LANES {
                    let at = (c + n) * group.len() + k - group.start;
                    both_axes!(simd, half: 3 to 6 by taps, (i, j) => windows[n][i * 3 + j],
                        (i, j, value) => store(simd, value, out, at + (i * 6 + j) * stride));
                }
            }
        }
    }

    /// `Gᵀ u G` of some input channels and all output channels, from `[36][channels][out]`, to those channels' rows of each
    /// of the nine taps.
    pub(super) fn transform_weight_gradients[simd](u: &[f32], taps: &mut [&mut [f32]]) {
        let len = taps.first().map_or(0, |rows| rows.len());
        let mut half = [[simd.splat(0.0); 6]; 3];
        for at in (0..len).step_by(LANES) {
            both_axes!(simd, half: 6 to 3 by taps_adjoint, (i, j) => load(simd, u, at + (i * 6 + j) * padded(len)),
                (i, j, value) => store(simd, value, taps[i * 3 + j], at));
        }
    }
}
