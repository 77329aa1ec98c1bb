//! Sixteen floats at a time, by whatever instructions there are. A value of a type that implements [`Simd`] is the proof that
//! the CPU has them: only `isa` makes one, after asking.

/// An instruction set's operations on sixteen floats.
pub(crate) trait Simd: Copy {
    /// Sixteen floats.
    type Lanes: Copy;

    /// Sixteen times the same.
    fn splat(self, value: f32) -> Self::Lanes;
    /// The sixteen floats of `from`.
    fn load(self, from: &[f32; 16]) -> Self::Lanes;
    /// Writes `a` to `to`.
    fn store(self, a: Self::Lanes, to: &mut [f32; 16]);
    /// `a + b`.
    fn add(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a − b`.
    fn sub(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a · b`.
    fn mul(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a · b + c`, rounded once where there is an instruction for it.
    fn mul_add(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes;

    /// Rows and columns exchanged.
    #[inline(always)]
    fn transpose(self, rows: &[Self::Lanes; 16]) -> [Self::Lanes; 16] {
        let mut from = [[0.0; 16]; 16];
        for i in 0..16 {
            self.store(rows[i], &mut from[i]);
        }
        let mut columns = *rows;
        for j in 0..16 {
            let mut column = [0.0; 16];
            for i in 0..16 {
                column[i] = from[i][j];
            }
            columns[j] = self.load(&column);
        }
        columns
    }

    /// `factor · b + c`.
    #[inline(always)]
    fn scaled_add(self, factor: f32, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes {
        self.mul_add(self.splat(factor), b, c)
    }

    /// `factor · b`.
    #[inline(always)]
    fn scaled(self, factor: f32, b: Self::Lanes) -> Self::Lanes {
        self.mul(self.splat(factor), b)
    }
}

/// Plain Rust, for the compiler to vectorise.
#[derive(Clone, Copy)]
pub(crate) struct Baseline;

impl Simd for Baseline {
    type Lanes = [f32; 16];

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Lanes {
        [value; 16]
    }

    #[inline(always)]
    fn load(self, from: &[f32; 16]) -> Self::Lanes {
        *from
    }

    #[inline(always)]
    fn store(self, a: Self::Lanes, to: &mut [f32; 16]) {
        *to = a;
    }

    #[inline(always)]
    fn add(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        std::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn sub(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        std::array::from_fn(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn mul(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        std::array::from_fn(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn mul_add(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes {
        if cfg!(target_arch = "aarch64") {
            std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
        } else {
            std::array::from_fn(|i| a[i] * b[i] + c[i])
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use std::arch::x86_64::*;

    use super::Simd;

    /// AVX-512 F.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(());

    impl Avx512 {
        /// # Safety
        /// The CPU has AVX-512 F.
        #[inline(always)]
        pub(crate) unsafe fn new() -> Self {
            Self(())
        }
    }

    // SAFETY of every block in here: `self` proves that the CPU has the instruction; loads and stores are unaligned ones of
    // an array borrowed for it.
    impl Simd for Avx512 {
        type Lanes = __m512;

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
        fn mul_add(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
            // SAFETY: see above.
            unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
        }
    }
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::*;
    use crate::isa::InstructionSet;

    type Scalar = fn(f32, f32) -> f32;

    /// Small whole numbers: every operation is exact.
    fn check<S: Simd>(s: S) {
        let a: [f32; 16] = std::array::from_fn(|i| i as f32 - 4.0);
        let b: [f32; 16] = std::array::from_fn(|i| (i * i) as f32);
        let (x, y) = (s.load(&a), s.load(&b));
        let results: [(S::Lanes, Scalar); 7] = [
            (s.add(x, y), |a, b| a + b),
            (s.sub(x, y), |a, b| a - b),
            (s.mul(x, y), |a, b| a * b),
            (s.mul_add(x, y, x), |a, b| a * b + a),
            (s.scaled(3.0, x), |a, _| 3.0 * a),
            (s.scaled_add(3.0, x, y), |a, b| 3.0 * a + b),
            (s.splat(7.0), |_, _| 7.0),
        ];
        for (got, want) in results {
            let mut values = [f32::NAN; 16];
            s.store(got, &mut values);
            assert_eq!(values, std::array::from_fn(|i| want(a[i], b[i])));
        }

        let mut rows = [x; 16];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = s.load(&std::array::from_fn(|j| (16 * i + j) as f32));
        }
        for (j, column) in s.transpose(&rows).into_iter().enumerate() {
            let mut values = [f32::NAN; 16];
            s.store(column, &mut values);
            assert_eq!(values, std::array::from_fn(|i| (16 * i + j) as f32));
        }
    }

    #[test]
    fn every_available_set_computes_the_same() {
        check(Baseline);
        #[cfg(target_arch = "x86_64")]
        for set in InstructionSet::available() {
            match set {
                InstructionSet::Baseline => {}
                // SAFETY: the CPU was found to have it.
                InstructionSet::Avx2 => check(unsafe { Avx2::new() }),
                // SAFETY: as above.
                InstructionSet::Avx512 => check(unsafe { Avx512::new() }),
            }
        }
    }
}
