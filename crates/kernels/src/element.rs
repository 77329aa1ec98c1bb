//! The types that activations are stored in.

use half::bf16;

use crate::fused::passes::Passes;

/// A type that activations are stored in. Arithmetic is done in f32, whatever the type.
pub trait Element:
    Copy + Default + PartialEq + Send + Sync + std::fmt::Debug + private::Sealed + Passes + 'static
{
    /// Which one it is.
    const PRECISION: Precision;

    /// Its value.
    fn to_f32(self) -> f32;

    /// The nearest value of the type, ties to even.
    fn from_f32(value: f32) -> Self;
}

/// How activations and the factors of products are stored. Sums, statistics and weights are f32 in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// 24 significant bits, 4 bytes.
    #[default]
    F32,
    /// bfloat16: 8 significant bits, 2 bytes, the range of f32.
    Bf16,
}

impl Element for f32 {
    const PRECISION: Precision = Precision::F32;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }
}

impl Element for bf16 {
    const PRECISION: Precision = Precision::Bf16;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        let bits = value.to_bits();
        if value.is_nan() {
            return Self::from_bits((bits >> 16) as u16 | 0x40); // still a NaN without its lower bits
        }
        Self::from_bits(((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16)
    }
}

/// What a type can do sixteen lanes at a time. A *factor* is what one lane of a product consumes at once: a float, or a pair of
/// bf16 along the summed axis.
#[allow(unsafe_code)]
pub(crate) mod private {
    use half::bf16;

    use crate::simd::Simd;

    pub trait Sealed: Copy + crate::scratch::Bits {
        /// Values in a factor.
        const PAIR: usize;
        /// Sixteen factors.
        type Factors<S: Simd>: Copy;

        /// Rows and columns (in sixteens) of a matrix product that fit into the registers.
        fn block<S: Simd>() -> [usize; 2];

        /// Sixteen values.
        fn load<S: Simd>(s: S, from: &[Self; 16]) -> S::Lanes;
        /// Writes sixteen values.
        fn store<S: Simd>(s: S, a: S::Lanes, to: &mut [Self; 16]);
        /// As [`store`](Self::store), past the caches where that is possible.
        ///
        /// # Safety
        /// As [`Simd::stream`].
        unsafe fn stream<S: Simd>(s: S, a: S::Lanes, to: &mut [Self; 16]);
        /// As many values as `from` has, at most sixteen, and zeros.
        fn load_first<S: Simd>(s: S, from: &[Self]) -> S::Lanes;
        /// Writes as many values as `to` has, at most sixteen.
        fn store_first<S: Simd>(s: S, a: S::Lanes, to: &mut [Self]);
        /// Writes sixteen factors; the second value of each counts only where a factor has two.
        fn store_factors<S: Simd>(s: S, first: S::Lanes, second: S::Lanes, to: &mut [Self]);
        /// Sixteen times the factor at `from`.
        ///
        /// # Safety
        /// `PAIR` values can be read there.
        unsafe fn splat_factor<S: Simd>(s: S, from: *const Self) -> Self::Factors<S>;
        /// The sixteen factors at `from`.
        ///
        /// # Safety
        /// `16 · PAIR` values can be read there.
        unsafe fn load_factors<S: Simd>(s: S, from: *const Self) -> Self::Factors<S>;
        /// `acc + a · b`.
        fn multiply<S: Simd>(s: S, acc: S::Lanes, a: Self::Factors<S>, b: Self::Factors<S>) -> S::Lanes;
    }

    impl Sealed for f32 {
        const PAIR: usize = 1;
        type Factors<S: Simd> = S::Lanes;

        #[inline(always)]
        fn block<S: Simd>() -> [usize; 2] {
            S::BLOCK
        }

        #[inline(always)]
        fn load<S: Simd>(s: S, from: &[Self; 16]) -> S::Lanes {
            s.load(from)
        }

        #[inline(always)]
        fn store<S: Simd>(s: S, a: S::Lanes, to: &mut [Self; 16]) {
            s.store(a, to);
        }

        #[inline(always)]
        unsafe fn stream<S: Simd>(s: S, a: S::Lanes, to: &mut [Self; 16]) {
            // SAFETY: the caller's promise.
            unsafe { s.stream(a, to) }
        }

        #[inline(always)]
        fn load_first<S: Simd>(s: S, from: &[Self]) -> S::Lanes {
            s.load_first(from)
        }

        #[inline(always)]
        fn store_first<S: Simd>(s: S, a: S::Lanes, to: &mut [Self]) {
            s.store_first(a, to);
        }

        #[inline(always)]
        fn store_factors<S: Simd>(s: S, first: S::Lanes, _: S::Lanes, to: &mut [Self]) {
            if let Some(to) = to.first_chunk_mut() {
                s.store(first, to);
            }
        }

        #[inline(always)]
        unsafe fn splat_factor<S: Simd>(s: S, from: *const Self) -> S::Lanes {
            // SAFETY: the caller's promise.
            s.splat(unsafe { *from })
        }

        #[inline(always)]
        unsafe fn load_factors<S: Simd>(s: S, from: *const Self) -> S::Lanes {
            // SAFETY: the caller's promise.
            s.load(unsafe { &*from.cast() })
        }

        #[inline(always)]
        fn multiply<S: Simd>(s: S, acc: S::Lanes, a: S::Lanes, b: S::Lanes) -> S::Lanes {
            s.mul_add(a, b, acc)
        }
    }

    impl Sealed for bf16 {
        const PAIR: usize = 2;
        type Factors<S: Simd> = S::Pairs;

        #[inline(always)]
        fn block<S: Simd>() -> [usize; 2] {
            S::BLOCK_OF_PAIRS
        }

        #[inline(always)]
        fn load<S: Simd>(s: S, from: &[Self; 16]) -> S::Lanes {
            s.load_bf16(from)
        }

        #[inline(always)]
        fn store<S: Simd>(s: S, a: S::Lanes, to: &mut [Self; 16]) {
            s.store_bf16(a, to);
        }

        #[inline(always)]
        unsafe fn stream<S: Simd>(s: S, a: S::Lanes, to: &mut [Self; 16]) {
            s.store_bf16(a, to);
        }

        #[inline(always)]
        fn load_first<S: Simd>(s: S, from: &[Self]) -> S::Lanes {
            s.load_first_bf16(from)
        }

        #[inline(always)]
        fn store_first<S: Simd>(s: S, a: S::Lanes, to: &mut [Self]) {
            s.store_first_bf16(a, to);
        }

        #[inline(always)]
        fn store_factors<S: Simd>(s: S, first: S::Lanes, second: S::Lanes, to: &mut [Self]) {
            if let Some(to) = to.first_chunk_mut() {
                s.store_pairs(first, second, to);
            }
        }

        #[inline(always)]
        unsafe fn splat_factor<S: Simd>(s: S, from: *const Self) -> S::Pairs {
            // SAFETY: the caller's promise.
            s.splat_pair(unsafe { from.cast::<u32>().read_unaligned() })
        }

        #[inline(always)]
        unsafe fn load_factors<S: Simd>(s: S, from: *const Self) -> S::Pairs {
            // SAFETY: the caller's promise.
            s.load_pairs(unsafe { &*from.cast() })
        }

        #[inline(always)]
        fn multiply<S: Simd>(s: S, acc: S::Lanes, a: S::Pairs, b: S::Pairs) -> S::Lanes {
            s.dot(acc, a, b)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_that_of_the_half_crate() {
        let special = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, 1e-45];
        let some = (0..1u32 << 16).map(|i| f32::from_bits(i.wrapping_mul(0x9e37_79b9)));
        for value in some.chain(special) {
            let (ours, theirs) = (<bf16 as Element>::from_f32(value), bf16::from_f32(value));
            assert!(ours == theirs || value.is_nan() && ours.is_nan(), "{value}");
            if !value.is_nan() {
                assert_eq!(Element::to_f32(ours), theirs.to_f32());
            }
        }
    }
}
