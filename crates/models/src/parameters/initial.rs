//! Starting values, from a seed and a name.

use candle_core::Result;
use candle_nn::Init;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `n` values of `start`, in row-major order.
pub(super) fn values(start: Init, seed: u64, name: &str, n: usize) -> Result<Vec<f32>> {
    match start {
        Init::Const(value) => Ok(vec![value as f32; n]),
        Init::Uniform { lo, up } => {
            let mut random = generator(seed, name);
            // 24 bits: every value of an f32's mantissa in [0, 1) is as likely as the next.
            let unit = |bits: u32| f64::from(bits >> 8) / f64::from(1u32 << 24);
            Ok((0..n).map(|_| (lo + (up - lo) * unit(random.next_u32())) as f32).collect())
        }
        Init::Randn { .. } | Init::Kaiming { .. } => {
            candle_core::bail!("{name}: parameters start constant or uniform, not as {start:?}")
        }
    }
}

/// ChaCha8, its 32-byte key the seed and three words of the name's FNV-1a hash, stirred.
fn generator(seed: u64, name: &str) -> ChaCha8Rng {
    let hash = name
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3));
    let words = [seed, splitmix64(hash), splitmix64(hash.wrapping_add(1)), splitmix64(hash.wrapping_add(2))];
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// Sebastiano Vigna's SplitMix64 output function.
fn splitmix64(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_values_have_the_moments_of_the_distribution() {
        let (n, bound) = (200_000, 0.1);
        let v = values(Init::Uniform { lo: -bound, up: bound }, 3, "x", n).unwrap();
        let mean = v.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
        let variance = v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n as f64;
        // Five standard errors: of the mean bound/√(3n), of the second moment bound²·√(4/45)/√n.
        assert!(mean.abs() < 5.0 * bound / (3.0 * n as f64).sqrt(), "{mean}");
        let error = (variance - bound * bound / 3.0).abs();
        assert!(error < 5.0 * bound * bound * (4.0f64 / 45.0 / n as f64).sqrt(), "{variance}");
    }

    #[test]
    fn the_values_of_a_seed_are_pinned() {
        // A change here changes every run's starting point: saved results would no longer repeat.
        let v = values(Init::Uniform { lo: -1.0, up: 1.0 }, 42, "conv1.weight", 3).unwrap();
        assert_eq!(v, [0.297_099_83, 0.871_946_45, 0.714_673_3]);
    }
}
