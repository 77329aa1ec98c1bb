//! Group normalisation: each image by itself, over its positions and a group of its channels; its gradients.
//!
//! With one group it is the layer normalisation over `(C, H, W)` with a scale and a bias per channel (PyTorch's
//! `GroupNorm(1, C)`), with as many groups as channels instance normalisation. Formulas: Wu & He, *Group Normalization*, 2018
//! (<https://arxiv.org/abs/1803.08494>), with the biased variance.

mod backward;
mod forward;
pub(crate) mod reference;
mod shape;

#[cfg(test)]
mod tests;

pub use backward::group_norm_backward;
pub use forward::group_norm_forward;
pub use shape::GroupNormShape;

/// Rows summed in f32 before the sums are widened to f64. A fixed number, so that sums depend on the shape alone.
const ROWS: usize = 128;
