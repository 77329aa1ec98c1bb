//! Sixteen floats at a time, by whatever instructions there are. A value of a type that implements [`Simd`] is the proof that
//! the CPU has them: only `isa` makes one, after asking.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod baseline;
#[cfg(test)]
mod tests;

use half::bf16;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use baseline::Baseline;

/// How many floats one operation works on.
pub(crate) const LANES: usize = 16;

/// An instruction set's operations on sixteen floats.
pub trait Simd: Copy + Send + Sync {
    /// Sixteen floats.
    type Lanes: Copy;
    /// Sixteen pairs of bf16, the first of each in the lower half.
    type Pairs: Copy;

    /// Rows and columns (in sixteens) of a matrix product that fit into the registers.
    const BLOCK: [usize; 2];
    /// The same of a product of pairs.
    const BLOCK_OF_PAIRS: [usize; 2] = Self::BLOCK;

    /// Sixteen times the same.
    fn splat(self, value: f32) -> Self::Lanes;
    /// The sixteen floats of `from`.
    fn load(self, from: &[f32; 16]) -> Self::Lanes;
    /// Writes `a` to `to`.
    fn store(self, a: Self::Lanes, to: &mut [f32; 16]);
    /// Writes `a` to `to`; past the caches, if there is an instruction for it and `to` is a whole cache line.
    ///
    /// # Safety
    /// [`end_streaming`](Self::end_streaming) is called before another thread is told that `to` is written.
    #[inline(always)]
    unsafe fn stream(self, a: Self::Lanes, to: &mut [f32; 16]) {
        self.store(a, to);
    }
    /// Lets all that this thread has streamed be seen before whatever it writes from now on.
    #[inline(always)]
    fn end_streaming(self) {}
    /// `a + b`.
    fn add(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a − b`.
    fn sub(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a · b`.
    fn mul(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a / b`.
    fn div(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `2ⁿ` of `1.5·2²³ + n`, for whole numbers `n` from −126 to 127.
    fn power_of_two(self, shifted: Self::Lanes) -> Self::Lanes;
    /// `a · b + c`, rounded once where there is an instruction for it.
    fn mul_add(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes;
    /// The larger of each two.
    fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a` where `gate` is positive, else 0.
    fn where_positive(self, gate: Self::Lanes, a: Self::Lanes) -> Self::Lanes;
    /// `then` where `a > b` or `a` is NaN, else `otherwise`.
    fn where_larger_or_nan(
        self,
        a: Self::Lanes,
        b: Self::Lanes,
        then: Self::Lanes,
        otherwise: Self::Lanes,
    ) -> Self::Lanes;
    /// `then` where `a = b`, else 0.
    fn where_equal(self, a: Self::Lanes, b: Self::Lanes, then: Self::Lanes) -> Self::Lanes;

    /// The sixteen values of `from`.
    fn load_bf16(self, from: &[bf16; 16]) -> Self::Lanes;
    /// Writes `a`, rounded to nearest, to `to`.
    fn store_bf16(self, a: Self::Lanes, to: &mut [bf16; 16]);
    /// Writes pairs of `first` and `second`, rounded to nearest.
    fn store_pairs(self, first: Self::Lanes, second: Self::Lanes, to: &mut [bf16; 32]);
    /// Sixteen times the same pair.
    fn splat_pair(self, pair: u32) -> Self::Pairs;
    /// The sixteen pairs of `from`.
    fn load_pairs(self, from: &[bf16; 32]) -> Self::Pairs;
    /// `acc` plus the sums of the two products of each pair.
    fn dot(self, acc: Self::Lanes, a: Self::Pairs, b: Self::Pairs) -> Self::Lanes;

    /// As many values as `from` has, at most sixteen, and zeros.
    #[inline(always)]
    fn load_first(self, from: &[f32]) -> Self::Lanes {
        if let Some(all) = from.first_chunk() {
            return self.load(all);
        }
        let mut all = [0.0; 16];
        all[..from.len()].copy_from_slice(from);
        self.load(&all)
    }

    /// Writes as many values as `to` has, at most sixteen.
    #[inline(always)]
    fn store_first(self, a: Self::Lanes, to: &mut [f32]) {
        if let Some(all) = to.first_chunk_mut() {
            return self.store(a, all);
        }
        let mut all = [0.0; 16];
        self.store(a, &mut all);
        to.copy_from_slice(&all[..to.len()]);
    }

    /// As [`load_first`](Self::load_first).
    #[inline(always)]
    fn load_first_bf16(self, from: &[bf16]) -> Self::Lanes {
        let mut all = [bf16::ZERO; 16];
        all[..from.len()].copy_from_slice(from);
        self.load_bf16(&all)
    }

    /// As [`store_first`](Self::store_first), rounded to nearest.
    #[inline(always)]
    fn store_first_bf16(self, a: Self::Lanes, to: &mut [bf16]) {
        let mut all = [bf16::ZERO; 16];
        self.store_bf16(a, &mut all);
        to.copy_from_slice(&all[..to.len()]);
    }

    /// As [`load_first`](Self::load_first), of bytes as whole numbers.
    #[inline(always)]
    fn load_first_bytes(self, from: &[u8]) -> Self::Lanes {
        let mut all = [0.0; 16];
        all[..from.len()].iter_mut().zip(from).for_each(|(value, byte)| *value = f32::from(*byte));
        self.load(&all)
    }

    /// As [`store_first`](Self::store_first), of whole numbers from 0 to 255.
    #[inline(always)]
    fn store_first_bytes(self, a: Self::Lanes, to: &mut [u8]) {
        let mut all = [0.0; 16];
        self.store(a, &mut all);
        let values = &all[..to.len()];
        to.iter_mut().zip(values).for_each(|(byte, value)| *byte = *value as u8);
    }

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
