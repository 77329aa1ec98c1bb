//! Two-dimensional convolution and its two gradients.

mod forward;
mod im2col;
mod input_gradient;
mod plan;
pub(crate) mod reference;
mod shape;
mod weight_gradient;
mod winograd;

#[cfg(test)]
mod tests;

pub use forward::conv2d_forward;
pub use input_gradient::conv2d_input_gradient;
pub use shape::Conv2dShape;
pub use weight_gradient::conv2d_weight_gradient;
