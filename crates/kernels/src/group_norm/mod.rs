//! Group normalisation: each image by itself, over its positions and a group of its channels; its gradients.
//!
//! With one group it is the layer normalisation over `(C, H, W)` with a scale and a bias per channel (PyTorch's
//! `GroupNorm(1, C)`), with as many groups as channels instance normalisation. Where each value of an image is a channel of its
//! own, one group is the layer normalisation with a scale and a bias per value ([`GroupNormShape::layer`]; Ba, Kiros & Hinton,
//! *Layer Normalization*, 2016, <https://arxiv.org/abs/1607.06450>). Formulas: Wu & He, *Group Normalization*, 2018
//! (<https://arxiv.org/abs/1803.08494>), with the biased variance.

mod backward;
mod forward;
pub(crate) mod reference;
mod shape;

pub use backward::group_norm_backward;
pub use forward::group_norm_forward;
pub use shape::GroupNormShape;
