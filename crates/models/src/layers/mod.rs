//! The layers that networks are made of, each with the parameter names and starting values of PyTorch's.

mod batch_norm2d;
mod conv2d;
mod ghost_batch_norm2d;
mod group_norm;
mod layer_norm;
mod linear;
mod norm;
mod pooling;

pub use batch_norm2d::{BatchNorm2d, BatchNormOptions, Scale};
pub use conv2d::Conv2d;
pub use ghost_batch_norm2d::{GhostBatchNorm2d, GhostBatchNormOptions};
pub use group_norm::{GroupNorm, GroupNormOptions};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use norm::{Norm, NormOptions};
pub(crate) use pooling::{max_pool, max_pool_to_one, max_pooled};
pub use wick_ops::{Activation, Conv2dOptions};

use candle_nn::Init;

/// PyTorch's start for the weights of convolutions and linear layers: uniform in `±1/√fan_in`.
///
/// `torch.nn` says it as `kaiming_uniform_(a=√5)`: `bound = √(6 / ((1 + a²)·fan_in)) = 1/√fan_in`.
pub(crate) fn uniform_by_fan_in(fan_in: usize) -> Init {
    let bound = 1.0 / (fan_in as f64).sqrt();
    Init::Uniform { lo: -bound, up: bound }
}
