//! Max, average and global average pooling.

mod average;
mod global;
mod max;
pub(crate) mod reference;
mod shape;

pub use average::{avg_pool2d_backward, avg_pool2d_forward};
pub use global::{global_avg_pool2d_backward, global_avg_pool2d_forward};
pub use max::{max_pool2d_backward, max_pool2d_forward};
pub use shape::Pool2dShape;
