//! Layers against PyTorch's values, their definitions and central differences.
//!
//! They stand here, and not in their modules, since what they call is most of the crate: it would be compiled once more for them.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of a test

#[path = "../../src/testing.rs"]
mod testing;

mod batch_norm;
mod convolution;
mod ghost_batch_norm;
mod group_norm;
mod pooling;

/// `Σ a·b`.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
