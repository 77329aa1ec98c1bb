//! Plain Rust.

use half::bf16;

use super::Simd;
use crate::element::Element;

/// Plain Rust, for the compiler to vectorise.
#[derive(Clone, Copy)]
pub(crate) struct Baseline;

impl Simd for Baseline {
    type Lanes = [f32; 16];
    type Pairs = [u32; 16];

    const BLOCK: [usize; 2] = if cfg!(target_arch = "aarch64") { [4, 1] } else { [2, 1] };

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
    fn div(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        std::array::from_fn(|i| a[i] / b[i])
    }

    #[inline(always)]
    fn power_of_two(self, shifted: Self::Lanes) -> Self::Lanes {
        shifted.map(|v| f32::from_bits((v.to_bits() << 23).wrapping_add(127 << 23)))
    }

    #[inline(always)]
    fn mul_add(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes {
        if cfg!(target_arch = "aarch64") {
            std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
        } else {
            std::array::from_fn(|i| a[i] * b[i] + c[i])
        }
    }

    #[inline(always)]
    fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        std::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn where_positive(self, gate: Self::Lanes, a: Self::Lanes) -> Self::Lanes {
        std::array::from_fn(|i| if gate[i] > 0.0 { a[i] } else { 0.0 })
    }

    #[inline(always)]
    fn where_larger_or_nan(
        self,
        a: Self::Lanes,
        b: Self::Lanes,
        then: Self::Lanes,
        otherwise: Self::Lanes,
    ) -> Self::Lanes {
        std::array::from_fn(|i| if a[i] > b[i] || a[i].is_nan() { then[i] } else { otherwise[i] })
    }

    #[inline(always)]
    fn where_equal(self, a: Self::Lanes, b: Self::Lanes, then: Self::Lanes) -> Self::Lanes {
        std::array::from_fn(|i| if a[i] == b[i] { then[i] } else { 0.0 })
    }

    #[inline(always)]
    fn load_bf16(self, from: &[bf16; 16]) -> Self::Lanes {
        std::array::from_fn(|i| Element::to_f32(from[i]))
    }

    #[inline(always)]
    fn store_bf16(self, a: Self::Lanes, to: &mut [bf16; 16]) {
        *to = a.map(Element::from_f32);
    }

    #[inline(always)]
    fn store_pairs(self, first: Self::Lanes, second: Self::Lanes, to: &mut [bf16; 32]) {
        *to =
            std::array::from_fn(|i| Element::from_f32(if i % 2 == 0 { first[i / 2] } else { second[i / 2] }));
    }

    #[inline(always)]
    fn splat_pair(self, pair: u32) -> Self::Pairs {
        [pair; 16]
    }

    #[inline(always)]
    fn load_pairs(self, from: &[bf16; 32]) -> Self::Pairs {
        let bits = |i: usize| u32::from(from[i].to_bits());
        std::array::from_fn(|i| bits(2 * i) | bits(2 * i + 1) << 16)
    }

    #[inline(always)]
    fn dot(self, acc: Self::Lanes, a: Self::Pairs, b: Self::Pairs) -> Self::Lanes {
        let first = |pairs: Self::Pairs| pairs.map(|pair| f32::from_bits(pair << 16));
        let second = |pairs: Self::Pairs| pairs.map(|pair| f32::from_bits(pair & 0xffff_0000));
        self.mul_add(second(a), second(b), self.mul_add(first(a), first(b), acc))
    }
}
