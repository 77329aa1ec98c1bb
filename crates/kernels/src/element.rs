//! The types that activations are stored in.

use half::bf16;

/// A type that activations are stored in. Arithmetic is done in f32, whatever the type.
pub trait Element:
    Copy + Default + PartialEq + Send + Sync + std::fmt::Debug + private::Sealed + 'static
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

mod private {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for half::bf16 {}
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
