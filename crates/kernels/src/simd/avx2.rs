//! AVX2 and FMA.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use half::bf16;

use super::Simd;
use crate::prefetch::LINE;

/// An expression for both halves. A macro: a closure is not compiled for the instructions of the function that it is in unless
/// it is inlined, and large ones are not.
macro_rules! halves {
    ($i:ident => $half:expr) => {
        [
            {
                let $i = 0;
                $half
            },
            {
                let $i = 1;
                $half
            },
        ]
    };
}

/// AVX2 and FMA, two registers at a time.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// # Safety
    /// The CPU has AVX2 and FMA.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }
}

// SAFETY of every block in here: as above; the upper half of sixteen floats begins at the eighth.
impl Simd for Avx2 {
    type Lanes = [__m256; 2];
    type Pairs = [__m256i; 2];

    // 12 sums, a row of the right factor and a value of the left one: 15 of 16 registers.
    const BLOCK: [usize; 2] = [6, 1];
    // 8 sums, both halves of a row of the right factor and of a value of the left one, and what tells them apart: 15.
    const BLOCK_OF_PAIRS: [usize; 2] = [4, 1];

    #[inline(always)]
    fn splat(self, value: f32) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_set1_ps(value); 2] }
    }

    #[inline(always)]
    fn load(self, from: &[f32; 16]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))] }
    }

    #[inline(always)]
    fn store(self, a: [__m256; 2], to: &mut [f32; 16]) {
        // SAFETY: see above.
        unsafe {
            _mm256_storeu_ps(to.as_mut_ptr(), a[0]);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), a[1]);
        }
    }

    #[inline(always)]
    unsafe fn stream(self, a: [__m256; 2], to: &mut [f32; 16]) {
        if to.as_ptr().addr().is_multiple_of(LINE) {
            // SAFETY: see above; both halves of a line begin where the instruction wants it.
            unsafe {
                _mm256_stream_ps(to.as_mut_ptr(), a[0]);
                _mm256_stream_ps(to.as_mut_ptr().add(8), a[1]);
            }
        } else {
            self.store(a, to);
        }
    }

    #[inline(always)]
    fn end_streaming(self) {
        // SAFETY: see above.
        unsafe { _mm_sfence() }
    }

    #[inline(always)]
    fn add(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }

    #[inline(always)]
    fn sub(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
    }

    #[inline(always)]
    fn mul(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
    }

    #[inline(always)]
    fn div(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])] }
    }

    #[inline(always)]
    fn power_of_two(self, shifted: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe {
            halves!(i => {
                let n = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifted[i]));
                _mm256_castsi256_ps(_mm256_add_epi32(n, _mm256_set1_epi32(127 << 23)))
            })
        }
    }

    #[inline(always)]
    fn mul_add(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
    }

    #[inline(always)]
    fn max(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])] }
    }

    #[inline(always)]
    fn where_positive(self, gate: [__m256; 2], a: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe {
            halves!(i => _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(gate[i], _mm256_setzero_ps()), a[i]))
        }
    }

    #[inline(always)]
    fn where_larger_or_nan(
        self,
        a: [__m256; 2],
        b: [__m256; 2],
        then: [__m256; 2],
        otherwise: [__m256; 2],
    ) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe {
            halves!(i => {
                let larger = _mm256_cmp_ps::<_CMP_GT_OQ>(a[i], b[i]);
                let nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(a[i], a[i]);
                _mm256_blendv_ps(otherwise[i], then[i], _mm256_or_ps(larger, nan))
            })
        }
    }

    #[inline(always)]
    fn where_equal(self, a: [__m256; 2], b: [__m256; 2], then: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { halves!(i => _mm256_and_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(a[i], b[i]), then[i])) }
    }

    #[inline(always)]
    fn load_bf16(self, from: &[bf16; 16]) -> [__m256; 2] {
        // SAFETY: see above; the second eight begin 16 bytes in.
        unsafe {
            halves!(i => {
                let bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.as_ptr().add(8 * i).cast()));
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(bits))
            })
        }
    }

    #[inline(always)]
    fn store_bf16(self, a: [__m256; 2], to: &mut [bf16; 16]) {
        // SAFETY: see above; 32 bytes are written.
        unsafe {
            let bits = rounded(a);
            let [low, high] = halves!(i => _mm256_srli_epi32::<16>(bits[i]));
            // Packing works within the halves of the registers, and leaves its quarters out of order.
            let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low, high));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), packed);
        }
    }

    #[inline(always)]
    fn store_pairs(self, first: [__m256; 2], second: [__m256; 2], to: &mut [bf16; 32]) {
        // SAFETY: see above.
        unsafe {
            let (low, high) = (rounded(first), rounded(second));
            let upper = _mm256_set1_epi32(0xffff_0000u32 as i32);
            for i in 0..2 {
                let pairs =
                    _mm256_or_si256(_mm256_srli_epi32::<16>(low[i]), _mm256_and_si256(high[i], upper));
                _mm256_storeu_si256(to.as_mut_ptr().add(16 * i).cast(), pairs);
            }
        }
    }

    #[inline(always)]
    fn splat_pair(self, pair: u32) -> [__m256i; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_set1_epi32(pair as i32); 2] }
    }

    #[inline(always)]
    fn load_pairs(self, from: &[bf16; 32]) -> [__m256i; 2] {
        // SAFETY: see above.
        unsafe {
            [_mm256_loadu_si256(from.as_ptr().cast()), _mm256_loadu_si256(from.as_ptr().add(16).cast())]
        }
    }

    #[inline(always)]
    fn dot(self, acc: [__m256; 2], a: [__m256i; 2], b: [__m256i; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe {
            let upper = _mm256_set1_epi32(0xffff_0000u32 as i32);
            halves!(i => {
                let first = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(a[i]));
                let second = _mm256_castsi256_ps(_mm256_and_si256(a[i], upper));
                let b_first = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(b[i]));
                let b_second = _mm256_castsi256_ps(_mm256_and_si256(b[i], upper));
                _mm256_fmadd_ps(second, b_second, _mm256_fmadd_ps(first, b_first, acc[i]))
            })
        }
    }
}

/// The bits of `a`, rounded to nearest such that their upper halves are bf16; NaNs stay NaNs.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn rounded(a: [__m256; 2]) -> [__m256i; 2] {
    // SAFETY: the caller's promise.
    unsafe {
        halves!(i => {
            let bits = _mm256_castps_si256(a[i]);
            let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
            let up = _mm256_add_epi32(_mm256_add_epi32(bits, odd), _mm256_set1_epi32(0x7fff));
            let nan = _mm256_or_si256(bits, _mm256_set1_epi32(0x0040_0000));
            let is_nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(a[i], a[i]);
            _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(up), _mm256_castsi256_ps(nan), is_nan))
        })
    }
}
