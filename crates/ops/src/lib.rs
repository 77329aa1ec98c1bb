//! Differentiable candle functions over Wick's kernels.
//!
//! Each function takes and returns candle tensors, takes part in candle's autograd and can be used alone in anyone's
//! model. Images and activations are channels-last, `(N, H, W, C)`; convolution weights are `(KH, KW, C_in, C_out)`.
//! Everything is f32, on the CPU or, with the feature `cuda`, on an NVIDIA GPU; another type or device is a typed error ([`OpsError`],
//! wrapped in candle's).
//!
//! ```
//! use candle_core::{Device, Tensor, Var};
//! use wick_ops::{Conv2dOptions, conv2d, global_avg_pool2d, relu};
//!
//! # fn main() -> candle_core::Result<()> {
//! let images = Tensor::ones((2, 8, 8, 3), candle_core::DType::F32, &Device::Cpu)?;
//! let weight = Var::ones((3, 3, 3, 4), candle_core::DType::F32, &Device::Cpu)?;
//! let y = relu(&conv2d(&images, &weight, Conv2dOptions { stride: 1, padding: 1 })?)?;
//! assert_eq!(y.dims(), [2, 8, 8, 4]);
//!
//! let gradients = global_avg_pool2d(&y)?.sum_all()?.backward()?;
//! // The centre tap sees every pixel of both images once: 2 · 64 / 64.
//! let centre = gradients.get(&weight).unwrap().get(1)?.get(1)?.get(0)?.get(0)?;
//! assert_eq!(centre.to_scalar::<f32>()?, 2.0);
//! # Ok(())
//! # }
//! ```
#![allow(unsafe_code)] // `memory` and `resident` call the C library, `cuda` kernels

mod activation;
mod apply;
mod batch_norm;
mod bias;
mod convolution;
#[cfg(feature = "cuda")]
mod cuda;
mod error;
mod gelu;
mod ghost_batch_norm;
mod group_norm;
mod guided;
mod linear;
mod loss;
mod memory;
mod norm;
mod pooling;
mod resident;

pub use activation::{add_relu, relu};
pub use apply::no_grad;
pub use batch_norm::{BatchStatistics, batch_norm_eval, batch_norm_train};
pub use bias::add_bias;
pub use convolution::{Conv2dOptions, conv2d};
#[cfg(feature = "cuda")]
pub use cuda::{CudaConvolutions, Products, cuda_convolutions};
pub use error::OpsError;
pub use gelu::gelu;
pub use ghost_batch_norm::{GhostBatchStatistics, ghost_batch_norm_train};
pub use group_norm::{group_norm, layer_norm};
pub use guided::guided_relus;
pub use linear::linear;
pub use loss::cross_entropy;
pub use memory::{PageRetention, retain_pages};
pub use pooling::{PoolOptions, avg_pool2d, global_avg_pool2d, max_pool2d};
pub use resident::peak_resident_bytes;
#[cfg(feature = "cuda")]
pub use wick_cuda::Determinism;
pub use wick_kernels::Activation;
pub use wick_kernels::{InstructionSet, InstructionSetError, Peak, Precision, peak};
