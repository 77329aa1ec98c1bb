//! Passes over activations that do in one go what a network does in several: a [`Source`] says how a value is made from what
//! is in memory when it is read, a [`Sink`] what becomes of a value before it is written.
//!
//! A training step of `conv → batch norm → ReLU → conv` needs four passes over memory forward and some ten backward when
//! every layer is a pass of its own. Here the convolution's sink sums the statistics while it writes, and the next
//! convolution's source normalises while it reads: nothing but the convolutions' outputs is ever written. Backward alike:
//! the gradient of a normalisation's input is [`Source::Gradient`], an affine function of two tensors, and the sums that its
//! coefficients are made of fall off [`Epilogue::Gradient`].
//!
//! Activations are f32 or bf16 ([`Element`](crate::Element)), channels last; weights, arithmetic and sums are f32.

mod activation;
mod convolution;
mod elementwise;
pub(crate) mod passes;
mod pooling;
mod read;
pub(crate) mod reference;
mod shared;
mod sink;
mod source;
mod write;

pub use activation::Activation;
pub use convolution::{
    Algorithm, conv2d, conv2d_input_gradient, conv2d_packed, conv2d_weight_gradient, pack_conv2d,
    packed_conv2d_len,
};
pub use elementwise::{Extent, combine};
pub use pooling::{global_avg_pool2d, max_pool2d, max_pool2d_gradient};
pub use sink::{Epilogue, Gate, Sink, Write};
pub use source::{Coefficients, Source};
