//! Batch normalisation over the last axis: statistics, normalisation, gradients.
//!
//! `x` is `(rows, C)`: any channels-last tensor, with its leading axes as rows. Formulas: Ioffe & Szegedy, *Batch
//! Normalization*, 2015, with the biased variance.

mod backward;
mod normalise;
pub(crate) mod reference;
mod statistics;

#[cfg(test)]
mod tests;

pub use backward::{batch_norm_backward, batch_norm_backward_frozen};
pub use normalise::batch_norm_normalise;
pub use statistics::batch_norm_statistics;

use crate::error::{ShapeError, expect_len, expect_positive};

/// What follows a layer in the same pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(v, 0)`.
    Relu,
}

/// What the forward pass normalised with, kept for the gradient.
#[derive(Debug, Clone, Copy)]
pub struct BatchNormSaved<'a> {
    /// Mean of each channel.
    pub mean: &'a [f32],
    /// Biased variance of each channel.
    pub variance: &'a [f32],
    /// What was added to the variance.
    pub eps: f32,
}

/// Rows handled at a time: 256 KiB, which stay in the L2 between two looks at them. A fixed number, so that sums do not
/// depend on the threads.
fn rows_per_block(channels: usize) -> usize {
    (64 * 1024 / channels).max(1)
}

/// Checks that `x` has whole rows of `channels` values.
fn expect_rows(op: &'static str, x: &[f32], channels: usize) -> Result<(), ShapeError> {
    expect_positive(op, &[("channels", channels)])?;
    if x.len().is_multiple_of(channels) {
        Ok(())
    } else {
        Err(ShapeError::NotAMultiple { op, name: "x", of: channels, got: x.len() })
    }
}

/// Checks the arguments of both gradients. `y` counts only where the activation asks it.
struct BackwardLengths {
    x: usize,
    y: usize,
    dy: usize,
    weight: usize,
    dx: usize,
    dweight: usize,
    dbias: usize,
}

impl BackwardLengths {
    fn expect(
        &self,
        op: &'static str,
        saved: &BatchNormSaved,
        activation: Activation,
    ) -> Result<(), ShapeError> {
        let channels = saved.mean.len();
        if activation == Activation::Relu {
            expect_len(op, "y", self.y, self.x)?;
        }
        expect_len(op, "variance", saved.variance.len(), channels)?;
        expect_len(op, "dy", self.dy, self.x)?;
        expect_len(op, "weight", self.weight, channels)?;
        expect_len(op, "dx", self.dx, self.x)?;
        expect_len(op, "dweight", self.dweight, channels)?;
        expect_len(op, "dbias", self.dbias, channels)
    }
}

/// `1 / sqrt(variance + eps)`.
fn inverse_deviation(variance: f32, eps: f32) -> f32 {
    1.0 / (variance + eps).sqrt()
}
