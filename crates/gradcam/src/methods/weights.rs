//! What activations are weighted with, and how they then become a map.

use super::first_components;
use crate::check::finite;
use crate::{CamError, Reduction};
use candle_core::Tensor;

/// What the activations `(N, h, w, C)` are multiplied with.
pub(crate) enum Weights {
    /// A weight for each channel of each image, `(N, C)`.
    Channels(Tensor),
    /// A weight for each value, `(N, h, w, C)`.
    Places(Tensor),
}

impl Weights {
    /// The maps `(N, h, w)` of the weighted activations.
    pub(crate) fn maps(self, activations: &Tensor, reduction: Reduction) -> Result<Tensor, CamError> {
        let (n, h, w, c) = activations.dims4()?;
        let maps = match (reduction, self) {
            // A product of matrices, which stores no weighted activations.
            (Reduction::Sum, Self::Channels(weights)) => {
                let pixels = activations.contiguous()?.reshape((n, h * w, c))?;
                pixels.matmul(&weights.reshape((n, c, 1))?)?.reshape((n, h, w))?
            }
            (Reduction::Sum, Self::Places(weights)) => (activations * weights)?.sum(3)?,
            (Reduction::FirstEigenvector, Self::Channels(weights)) => {
                first_components(&activations.broadcast_mul(&weights.reshape((n, 1, 1, c))?)?)?
            }
            (Reduction::FirstEigenvector, Self::Places(weights)) => {
                first_components(&(activations * weights)?)?
            }
        };
        finite("maps", &maps)?;
        Ok(maps)
    }
}
