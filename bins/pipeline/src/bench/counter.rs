//! Numbers from a counter, the same in any language: what the reference values were computed from.

/// Sebastiano Vigna's SplitMix64 output function of the state `x`.
pub fn splitmix64(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// `n` values in `[-bound, bound)`: element `i` is `(2u - 1)·bound` in f32,
/// `u = (splitmix64(seed·1_000_003 + i) >> 40) / 2^24`.
pub fn uniform(seed: u64, n: usize, bound: f32) -> Vec<f32> {
    let base = seed.wrapping_mul(1_000_003);
    let unit = |i| (splitmix64(base.wrapping_add(i)) >> 40) as f32 / (1_u64 << 24) as f32;
    (0..n as u64).map(|i| (2.0 * unit(i) - 1.0) * bound).collect()
}
