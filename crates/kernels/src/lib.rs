//! The hot loops of convolutional networks on plain slices: convolution, batch, ghost batch, group and layer normalisation,
//! rectifiers, GELU, biases, pooling, the fully connected layer and cross-entropy, each with its gradients.
//!
//! Activations are f32, channels last, `(N, H, W, C)`; convolution weights are `(KH, KW, C_in, C_out)`. Every function
//! checks its arguments' lengths and returns a [`ShapeError`] before it writes anything; outputs are overwritten. Work is
//! spread over [rayon](https://docs.rs/rayon)'s current thread pool in pieces that depend on the shape alone: the same
//! arguments give the same bits on any number of threads. Each op's definition in plain loops is in [`mod@reference`].
//!
//! ```
//! use wick_kernels::{Conv2dShape, conv2d_forward};
//!
//! // One 3×3 image of one channel, its 3×3 neighbourhood sums.
//! let shape = Conv2dShape {
//!     batch: 1, height: 3, width: 3, in_channels: 1, out_channels: 1, kernel: [3, 3], stride: 1, padding: 1,
//! };
//! let (x, weight, mut y) = ([1.0; 9], [1.0; 9], [0.0; 9]);
//! conv2d_forward(&shape, &x, &weight, &mut y)?;
//! assert_eq!(y, [4.0, 6.0, 4.0, 6.0, 9.0, 6.0, 4.0, 6.0, 4.0]);
//! # Ok::<(), wick_kernels::ShapeError>(())
//! ```

mod batch_norm;
mod bias;
mod convolution;
mod cross_entropy;
mod element;
mod error;
pub mod fused;
mod gelu;
mod ghost_batch_norm;
mod group_norm;
pub mod huge_pages;
mod isa;
mod linear;
mod matmul;
mod norm;
mod peak;
mod pooling;
mod prefetch;
mod relu;
mod scratch;
mod simd;

#[cfg(test)]
mod testing;

pub use batch_norm::{
    batch_norm_backward, batch_norm_backward_frozen, batch_norm_normalise, batch_norm_statistics,
};
pub use bias::{bias_backward, bias_forward};
pub use convolution::{Conv2dShape, conv2d_forward, conv2d_input_gradient, conv2d_weight_gradient};
pub use cross_entropy::{cross_entropy_backward, cross_entropy_forward};
pub use element::{Element, Precision};
pub use error::ShapeError;
pub use gelu::{gelu_backward, gelu_forward};
pub use ghost_batch_norm::{
    GhostBatchNormShape, ghost_batch_norm_backward, ghost_batch_norm_normalise, ghost_batch_norm_statistics,
};
pub use group_norm::{GroupNormShape, group_norm_backward, group_norm_forward};
pub use isa::{InstructionSet, InstructionSetError};
pub use linear::{LinearShape, linear_backward, linear_forward};
pub use norm::{Activation, NormAffine, NormGradients, NormPass, NormStatistics};
pub use peak::{Peak, peak};
pub use pooling::{
    Pool2dShape, avg_pool2d_backward, avg_pool2d_forward, global_avg_pool2d_backward,
    global_avg_pool2d_forward, max_pool2d_backward, max_pool2d_forward,
};
pub use relu::{add_relu_forward, relu_backward, relu_forward};

/// Each op's definition in plain loops, slow and plain to read: what the kernels are tested against.
pub mod reference {
    pub use crate::batch_norm::reference::{
        batch_norm_backward, batch_norm_backward_frozen, batch_norm_normalise, batch_norm_statistics,
    };
    pub use crate::bias::reference::{bias_backward, bias_forward};
    pub use crate::convolution::reference::{
        conv2d_forward, conv2d_input_gradient, conv2d_weight_gradient, for_each_product,
    };
    /// Of the fused passes: what sources and sinks stand for.
    pub mod fused {
        pub use crate::fused::reference::{
            combine, finish, global_avg_pool2d, max_pool2d, max_pool2d_gradient, values,
        };
    }
    pub use crate::cross_entropy::reference::{cross_entropy_backward, cross_entropy_forward};
    pub use crate::gelu::reference::{gelu_backward, gelu_forward};
    pub use crate::ghost_batch_norm::reference::{
        ghost_batch_norm_backward, ghost_batch_norm_normalise, ghost_batch_norm_statistics,
    };
    pub use crate::group_norm::reference::{
        group_norm_backward, group_norm_normalise, group_norm_statistics,
    };
    pub use crate::linear::reference::{linear_backward, linear_forward};
    pub use crate::pooling::reference::{
        avg_pool2d_backward, avg_pool2d_forward, max_pool2d_backward, max_pool2d_forward,
    };
    pub use crate::relu::reference::{add_relu_forward, relu_backward, relu_forward};
}
