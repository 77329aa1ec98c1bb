//! The ops on tensors of an NVIDIA GPU: convolutions by cuDNN, products by candle's cuBLAS, everything else by kernels that
//! are compiled once a device and thread. Shapes were checked by the functions that come here.

mod convolution;
mod elementwise;
mod function;
mod gpu;
mod kernels;
mod linear;
mod loss;
mod norm;
mod pool;

pub(crate) use convolution::conv2d;
pub use convolution::{CudaConvolutions, Products, cuda_convolutions};
pub(crate) use elementwise::{add_bias, add_relu, gelu, relu};
pub(crate) use linear::linear;
pub(crate) use loss::cross_entropy;
pub(crate) use norm::{Ending, batch_norm_eval, batch_norm_train, ghost_batch_norm_train, group_norm};
pub(crate) use pool::{avg_pool2d, global_avg_pool2d, max_pool2d};
