//! Batch normalisation over the last axis: statistics, normalisation, gradients.
//!
//! `x` is `(rows, C)`: any channels-last tensor, with its leading axes as rows. Formulas: Ioffe & Szegedy, *Batch
//! Normalization*, 2015, with the biased variance.

mod backward;
mod normalise;
pub(crate) mod reference;
mod statistics;

pub use backward::{batch_norm_backward, batch_norm_backward_frozen};
pub use normalise::batch_norm_normalise;
pub use statistics::batch_norm_statistics;

use crate::error::{ShapeError, expect_positive};
use crate::norm::Lengths;

/// Rows handled at a time: 256 KiB, which stay in the L2 between two looks at them. A fixed number, so that sums do not
/// depend on the threads.
fn rows_per_block(channels: usize) -> usize {
    (64 * 1024 / channels).max(1)
}

/// Checks that `x` has whole rows of `channels` values; what follows from that.
fn expect_rows(op: &'static str, x: &[f32], channels: usize) -> Result<Lengths, ShapeError> {
    expect_positive(op, &[("channels", channels)])?;
    if x.len().is_multiple_of(channels) {
        Ok(Lengths { values: x.len(), channels, statistics: channels })
    } else {
        Err(ShapeError::NotAMultiple { op, name: "x", of: channels, got: x.len() })
    }
}
