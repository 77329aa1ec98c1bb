use super::Weights;
use crate::check::pair;
use crate::{CamError, Reduction};
use candle_core::Tensor;

/// HiResCAM (Draelos & Carin 2020, <https://arxiv.org/abs/2011.08891>): each value counts as much as its own
/// gradient, `raw[n, y, x] = Σ_c gradients[n, y, x, c] · activations[n, y, x, c]`.
///
/// Behind a head that is linear in the activations this is each place's exact share of the score, up to the bias.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let activations = Tensor::new(&[[1f32, 2.], [3., 4.]], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
/// let gradients = Tensor::new(&[[1f32, 0.], [3., -1.]], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
/// let maps = wick_gradcam::hires_cam(&activations, &gradients)?;
/// assert_eq!(maps.flatten_all()?.to_vec1::<f32>()?, [1. * 1. + 0. * 2., 3. * 3. - 1. * 4.]);
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// As [`grad_cam`](crate::grad_cam).
pub fn hires_cam(activations: &Tensor, gradients: &Tensor) -> Result<Tensor, CamError> {
    pair(activations, gradients)?;
    weights(activations, gradients)?.maps(activations, Reduction::Sum)
}

pub(crate) fn weights(_: &Tensor, gradients: &Tensor) -> Result<Weights, CamError> {
    Ok(Weights::Places(gradients.clone()))
}
