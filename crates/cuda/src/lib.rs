//! [`wick_graph`]'s networks on an NVIDIA GPU: convolutions by cuDNN, everything else by kernels that are compiled for each
//! pass of a network when it is first run.
//!
//! Nothing of CUDA is needed to build this crate, but with its feature `linked`: the driver, cuDNN and NVIDIA's run-time compiler are
//! looked for by [`Device::open`], which says what is missing.

#![allow(unsafe_code)] // the driver, the compiler and cuDNN are C libraries

mod cudnn;
mod device;
mod error;
mod executor;
pub mod raw;
pub mod training;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use device::{Buffer, DRIVER, Device, Pod};
pub use error::CudaError;
pub use executor::{Executor, Options};

/// In which numbers a GPU computes. Sums, statistics, parameters and gradients of parameters are f32 or f64 in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Numbers {
    /// f32 throughout.
    #[default]
    F32,
    /// f32 maps; factors of products rounded to 10 bits (TF32), which is several times as fast.
    Tf32,
    /// Maps and factors of products rounded to bf16.
    Bf16,
}

/// Whether two runs must give the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Determinism {
    /// Engines may sum in any order.
    #[default]
    Free,
    /// Only engines that always sum in the same order.
    Required,
}
