//! How fast this machine multiplies and adds at most: what a kernel's speed is a share of.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::element::Precision;
#[cfg(target_arch = "x86_64")]
use crate::isa::InstructionSet;
#[cfg(not(target_arch = "aarch64"))]
use crate::simd::Simd;

/// What a machine computes with nothing but multiply-adds in registers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Floating-point operations a second, all threads together; a multiply-add is two.
    pub flops: f64,
    /// The instruction that was timed: `avx512 dpbf16`.
    pub instruction: &'static str,
}

/// Measures the peak of the instruction set [in use](crate::InstructionSet::current) over all threads of rayon's current pool,
/// which takes some five times `period`; the best of five periods counts.
///
/// For [`Precision::Bf16`] that is the dot product of pairs of bf16, where that set has it (AVX-512 with
/// BF16); elsewhere bf16 is widened and multiplied as f32, so that its peak is that of f32.
pub fn peak(precision: Precision, period: Duration) -> Peak {
    let (chain, flops_a_round, instruction) = chain(precision);
    let once = || {
        let rates = rayon::broadcast(|_| {
            let (began, mut rounds) = (Instant::now(), 0_u64);
            // A thread whose clock is looked at once in some 10 µs loses nothing by it.
            const BLOCK: u64 = 4096;
            loop {
                black_box(chain(BLOCK));
                rounds += BLOCK;
                let elapsed = began.elapsed();
                if elapsed >= period {
                    return rounds as f64 / elapsed.as_secs_f64();
                }
            }
        });
        rates.into_iter().sum::<f64>() * flops_a_round as f64
    };
    Peak { flops: (0..5).map(|_| once()).fold(0.0, f64::max), instruction }
}

/// A function that does so many rounds, the operations of one, and the name of the instruction.
type Chain = fn(u64) -> f32;

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn chain(precision: Precision) -> (Chain, u64, &'static str) {
    use InstructionSet::{Avx2, Avx512, Avx512Bf16, Baseline};
    // SAFETY of every call in here: the set in use is only ever one that the CPU was found to have.
    match InstructionSet::current() {
        Avx512Bf16 if precision == Precision::Bf16 => {
            // SAFETY: see above.
            (|n| unsafe { x86::avx512_bf16(n) }, x86::BF16_FLOPS, "avx512 dpbf16")
        }
        // SAFETY: see above.
        Avx512 | Avx512Bf16 => (|n| unsafe { x86::avx512(n) }, 12 * ROUND, "avx512 fma"),
        // SAFETY: see above.
        Avx2 => (|n| unsafe { x86::avx2(n) }, 6 * ROUND, "avx2 fma"),
        // SAFETY: see above; every x86-64 has SSE2.
        Baseline => (|n| unsafe { x86::sse2(n) }, 3 * ROUND, "sse2 mul and add"),
    }
}

#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
fn chain(_: Precision) -> (Chain, u64, &'static str) {
    // SAFETY: every AArch64 of the standard library's targets has NEON.
    (|n| unsafe { neon::fma(n) }, 6 * ROUND, "neon fma")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn chain(_: Precision) -> (Chain, u64, &'static str) {
    (|n| multiply_add::<_, 3>(crate::simd::Baseline, n), 3 * ROUND, "mul and add")
}

/// Operations of sixteen lanes' multiply-add.
const ROUND: u64 = 2 * 16;

/// `N` chains, enough that none waits for its own result and few enough that all stay in registers.
#[cfg(not(target_arch = "aarch64"))]
#[inline(always)]
fn multiply_add<S: Simd, const N: usize>(simd: S, rounds: u64) -> f32 {
    // Values that stay near 1 and that the compiler does not know.
    let (half, mut sums) = (simd.splat(black_box(0.5)), [simd.splat(black_box(1.0)); N]);
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = simd.mul_add(*sum, half, half);
        }
    }
    let mut total = simd.splat(0.0);
    for sum in sums {
        total = simd.add(total, sum);
    }
    let mut lanes = [0.0; 16];
    simd.store(total, &mut lanes);
    lanes.iter().sum()
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use super::multiply_add;
    use crate::simd::{Avx2, Avx512};

    const CHAINS: usize = 12;

    /// Operations of a round of [`avx512_bf16`]: two multiply-adds in each of sixteen lanes.
    pub(super) const BF16_FLOPS: u64 = CHAINS as u64 * 2 * super::ROUND;

    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
    pub(super) fn avx512(rounds: u64) -> f32 {
        // SAFETY: this function is only called where the CPU has its features.
        multiply_add::<_, 12>(unsafe { Avx512::<false>::new() }, rounds)
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2(rounds: u64) -> f32 {
        // SAFETY: as above.
        multiply_add::<_, 6>(unsafe { Avx2::new() }, rounds)
    }

    /// Four lanes at a time, without a fused instruction.
    #[target_feature(enable = "sse2")]
    pub(super) fn sse2(rounds: u64) -> f32 {
        let (half, mut sums) = (_mm_set1_ps(black_box(0.5)), [_mm_set1_ps(black_box(1.0)); 12]);
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm_add_ps(_mm_mul_ps(*sum, half), half);
            }
        }
        let mut lanes = [0.0; 4];
        let total = sums.into_iter().fold(_mm_setzero_ps(), |total, sum| _mm_add_ps(total, sum));
        // SAFETY: an array of four floats, borrowed for it; the store need not be aligned.
        unsafe { _mm_storeu_ps(lanes.as_mut_ptr(), total) };
        lanes.iter().sum()
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) fn avx512_bf16(rounds: u64) -> f32 {
        let half = _mm512_set1_ps(black_box(0.5));
        let pairs = _mm512_cvtne2ps_pbh(half, half);
        let mut sums = [_mm512_set1_ps(black_box(1.0)); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_dpbf16_ps(*sum, pairs, pairs);
            }
        }
        sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
    }
}

#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
mod neon {
    use std::arch::aarch64::*;
    use std::hint::black_box;

    /// Four lanes at a time.
    #[target_feature(enable = "neon")]
    pub(super) fn fma(rounds: u64) -> f32 {
        let (half, mut sums) = (vdupq_n_f32(black_box(0.5)), [vdupq_n_f32(black_box(1.0)); 24]);
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = vfmaq_f32(half, *sum, half);
            }
        }
        sums.into_iter().map(|sum| vaddvq_f32(sum)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each chain's rounds leave what arithmetic says: 1 = 1 · ½ + ½; with bf16 half more each round, twice ½ · ½.
    #[test]
    fn the_timed_loops_compute_what_they_say() {
        let (f32_chain, flops, name) = chain(Precision::F32);
        let lanes = flops as f32 / 2.0;
        assert_eq!(f32_chain(10), lanes, "{name}");
        let (bf16_chain, flops, name) = chain(Precision::Bf16);
        if name.ends_with("dpbf16") {
            assert_eq!(bf16_chain(10), flops as f32 / 4.0 * (1.0 + 10.0 * 0.5), "{name}");
        } else {
            assert_eq!(bf16_chain(10), lanes, "{name}");
        }
    }

    #[test]
    fn a_peak_is_measured() {
        for precision in [Precision::F32, Precision::Bf16] {
            let peak = peak(precision, Duration::from_millis(2));
            assert!(peak.flops.is_finite() && peak.flops > 1e6, "{peak:?}");
        }
    }
}
