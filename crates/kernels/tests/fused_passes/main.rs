//! Fused passes by every instruction set that this machine has, against their definitions, in both types; what they refuse;
//! and that the number of threads changes no bit of any of them.

#![allow(clippy::unwrap_used)] // helpers of a test

mod combine;
mod convolution;
mod errors;
mod packed;
mod pooling;
mod shared;
mod threads;

use shared::Tolerance;
use wick_kernels::fused::Extent;
use wick_kernels::{Element, Precision};

/// Of passes whose arithmetic is a few operations a value, none larger than `most`. Eight roundings of 2⁻²⁴ each; where the
/// definition rounds a product and a sum at once and an instruction set does not, they differ by so much. What is then
/// written as bf16 may fall on the other side of a rounding's border, which is a step of 2⁻⁷. Sums over the pixels are f32,
/// of products of two such values.
fn tolerance<E: Element>(most: f32, extent: Extent) -> Tolerance {
    let absolute = 5e-7 * most;
    let relative = match E::PRECISION {
        Precision::F32 => 0.0,
        Precision::Bf16 => 1.0 / 128.0,
    };
    Tolerance { absolute, relative, sums: extent.pixels as f32 * most * absolute }
}
