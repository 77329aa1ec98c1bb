//! AVX-512.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use half::bf16;

use super::Simd;
use crate::prefetch::LINE;

/// AVX-512 F, BW, DQ and VL, and with `BF16` its bf16 instructions too.
#[derive(Clone, Copy)]
pub(crate) struct Avx512<const BF16: bool>(());

impl<const BF16: bool> Avx512<BF16> {
    /// # Safety
    /// The CPU has them.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }

    /// Sixteen bf16, rounded to nearest.
    #[inline(always)]
    fn narrow(self, a: __m512) -> __m256i {
        // SAFETY: `self` proves that the CPU has the instructions.
        unsafe {
            if BF16 {
                std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(a))
            } else {
                _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(rounded(a)))
            }
        }
    }
}

/// A mask of the first `lanes` of sixteen.
#[inline(always)]
fn first(lanes: usize) -> u16 {
    ((1u32 << lanes) - 1) as u16
}

// SAFETY of every block in here: `self` proves that the CPU has the instruction; loads and stores are unaligned ones of
// an array borrowed for it.
impl<const BF16: bool> Simd for Avx512<BF16> {
    type Lanes = __m512;
    type Pairs = __m512i;

    // 28 sums, a row of the right factor and a value of the left one: 31 of 32 registers.
    const BLOCK: [usize; 2] = [14, 2];

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, from: &[f32; 16]) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, a: __m512, to: &mut [f32; 16]) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), a) }
    }

    #[inline(always)]
    unsafe fn stream(self, a: __m512, to: &mut [f32; 16]) {
        if to.as_ptr().addr().is_multiple_of(LINE) {
            // SAFETY: see above; it begins at a line, as the instruction wants it.
            unsafe { _mm512_stream_ps(to.as_mut_ptr(), a) }
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
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_div_ps(a, b) }
    }

    #[inline(always)]
    fn power_of_two(self, shifted: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe {
            let n = _mm512_slli_epi32::<23>(_mm512_castps_si512(shifted));
            _mm512_castsi512_ps(_mm512_add_epi32(n, _mm512_set1_epi32(127 << 23)))
        }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn transpose(self, rows: &[__m512; 16]) -> [__m512; 16] {
        // Within each quarter register a 4×4 transpose, first of single floats, then of pairs; then the quarters
        // themselves, in two steps.
        let (mut a, mut b) = (*rows, *rows);
        // SAFETY: see above.
        unsafe {
            for i in 0..8 {
                a[2 * i] = _mm512_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
                a[2 * i + 1] = _mm512_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
            }
            for i in 0..8 {
                let first = i / 2 * 4 + i % 2;
                let (x, y) = (_mm512_castps_pd(a[first]), _mm512_castps_pd(a[first + 2]));
                b[2 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y));
                b[2 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(x, y));
            }
            // Now quarter q of b[4i + j] is column 4q + j of rows 4i .. 4i + 4.
            for j in 0..4 {
                a[j] = _mm512_shuffle_f32x4::<0x88>(b[j], b[4 + j]);
                a[4 + j] = _mm512_shuffle_f32x4::<0xdd>(b[j], b[4 + j]);
                a[8 + j] = _mm512_shuffle_f32x4::<0x88>(b[8 + j], b[12 + j]);
                a[12 + j] = _mm512_shuffle_f32x4::<0xdd>(b[8 + j], b[12 + j]);
            }
            for j in 0..4 {
                b[j] = _mm512_shuffle_f32x4::<0x88>(a[j], a[8 + j]);
                b[8 + j] = _mm512_shuffle_f32x4::<0xdd>(a[j], a[8 + j]);
                b[4 + j] = _mm512_shuffle_f32x4::<0x88>(a[4 + j], a[12 + j]);
                b[12 + j] = _mm512_shuffle_f32x4::<0xdd>(a[4 + j], a[12 + j]);
            }
        }
        b
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    fn where_positive(self, gate: __m512, a: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe {
            let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(gate, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(positive, a)
        }
    }

    #[inline(always)]
    fn where_larger_or_nan(self, a: __m512, b: __m512, then: __m512, otherwise: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe {
            let larger = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b);
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a);
            _mm512_mask_blend_ps(larger | nan, otherwise, then)
        }
    }

    #[inline(always)]
    fn where_equal(self, a: __m512, b: __m512, then: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b), then) }
    }

    #[inline(always)]
    fn load_first_bytes(self, from: &[u8]) -> __m512 {
        assert!(from.len() <= 16, "more values than lanes");
        // SAFETY: as in `load_first`.
        unsafe {
            let bytes = _mm_maskz_loadu_epi8(first(from.len()), from.as_ptr().cast());
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes))
        }
    }

    #[inline(always)]
    fn store_first_bytes(self, a: __m512, to: &mut [u8]) {
        assert!(to.len() <= 16, "more values than lanes");
        // SAFETY: as in `store_first`.
        unsafe {
            let bytes = _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(a));
            _mm_mask_storeu_epi8(to.as_mut_ptr().cast(), first(to.len()), bytes);
        }
    }

    #[inline(always)]
    fn load_bf16(self, from: &[bf16; 16]) -> __m512 {
        // SAFETY: see above; sixteen bf16 are the 32 bytes read.
        unsafe {
            let bits = _mm256_loadu_si256(from.as_ptr().cast());
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(bits)))
        }
    }

    #[inline(always)]
    fn store_bf16(self, a: __m512, to: &mut [bf16; 16]) {
        // SAFETY: see above; sixteen bf16 are the 32 bytes written.
        unsafe {
            _mm256_storeu_si256(to.as_mut_ptr().cast(), self.narrow(a));
        }
    }

    #[inline(always)]
    fn load_first(self, from: &[f32]) -> __m512 {
        assert!(from.len() <= 16, "more values than lanes");
        // SAFETY: see above; lanes without a value are not read.
        unsafe { _mm512_maskz_loadu_ps(first(from.len()), from.as_ptr()) }
    }

    #[inline(always)]
    fn store_first(self, a: __m512, to: &mut [f32]) {
        assert!(to.len() <= 16, "more values than lanes");
        // SAFETY: see above; lanes without a place are not written.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), first(to.len()), a) }
    }

    #[inline(always)]
    fn load_first_bf16(self, from: &[bf16]) -> __m512 {
        assert!(from.len() <= 16, "more values than lanes");
        // SAFETY: as in `load_first`.
        unsafe {
            let bits = _mm256_maskz_loadu_epi16(first(from.len()), from.as_ptr().cast());
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(bits)))
        }
    }

    #[inline(always)]
    fn store_first_bf16(self, a: __m512, to: &mut [bf16]) {
        assert!(to.len() <= 16, "more values than lanes");
        // SAFETY: as in `store_first`.
        unsafe { _mm256_mask_storeu_epi16(to.as_mut_ptr().cast(), first(to.len()), self.narrow(a)) }
    }

    #[inline(always)]
    fn store_pairs(self, first: __m512, second: __m512, to: &mut [bf16; 32]) {
        // SAFETY: see above.
        unsafe {
            let pairs = if BF16 {
                let halves = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(second, first));
                let order: [u16; 32] = std::array::from_fn(|i| (i / 2 + i % 2 * 16) as u16);
                _mm512_permutexvar_epi16(_mm512_loadu_si512(order.as_ptr().cast()), halves)
            } else {
                let low = _mm512_srli_epi32::<16>(rounded(first));
                let high = _mm512_and_si512(rounded(second), _mm512_set1_epi32(0xffff_0000u32 as i32));
                _mm512_or_si512(low, high)
            };
            _mm512_storeu_si512(to.as_mut_ptr().cast(), pairs);
        }
    }

    #[inline(always)]
    fn splat_pair(self, pair: u32) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(pair as i32) }
    }

    #[inline(always)]
    fn load_pairs(self, from: &[bf16; 32]) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn dot(self, acc: __m512, a: __m512i, b: __m512i) -> __m512 {
        // SAFETY: see above; the two types are the same 64 bytes.
        unsafe {
            if BF16 {
                let bf16 = |v| std::mem::transmute::<__m512i, __m512bh>(v);
                return _mm512_dpbf16_ps(acc, bf16(a), bf16(b));
            }
            let high = _mm512_set1_epi32(0xffff_0000u32 as i32);
            let first = |v| _mm512_castsi512_ps(_mm512_slli_epi32::<16>(v));
            let second = |v| _mm512_castsi512_ps(_mm512_and_si512(v, high));
            _mm512_fmadd_ps(second(a), second(b), _mm512_fmadd_ps(first(a), first(b), acc))
        }
    }
}

/// The bits of `a`, rounded to nearest such that their upper halves are bf16; NaNs stay NaNs.
///
/// # Safety
/// The CPU has AVX-512 F.
#[inline(always)]
unsafe fn rounded(a: __m512) -> __m512i {
    // SAFETY: the caller's promise.
    unsafe {
        let bits = _mm512_castps_si512(a);
        let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        let up = _mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7fff));
        let is_nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a);
        _mm512_mask_or_epi32(up, is_nan, bits, _mm512_set1_epi32(0x0040_0000))
    }
}
