//! Ghost batch normalisation: a batch norm of each of several parts of the batch by itself; its gradients.
//!
//! Image `i` belongs to split `i mod S`. Hoffer, Hubara & Soudry, *Train longer, generalize better*, 2017
//! (<https://arxiv.org/abs/1705.08741>), who cut the batch into pieces instead; dealt out in turn as by Page, *How to Train Your
//! ResNet*, 2019, and with the biased variance. Any number of images will do: a split may have one less than another, or none,
//! whose statistics are then 0. A channel's only value in its split is normalised to 0, and its gradient is 0.

mod backward;
mod forward;
pub(crate) mod reference;
mod shape;

pub use backward::ghost_batch_norm_backward;
pub use forward::{ghost_batch_norm_normalise, ghost_batch_norm_statistics};
pub use shape::GhostBatchNormShape;
