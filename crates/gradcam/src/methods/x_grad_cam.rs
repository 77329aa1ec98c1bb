use super::Weights;
use crate::check::pair;
use crate::{CamError, Reduction};
use candle_core::Tensor;

/// Keeps the quotient defined for a channel of zeros; pytorch-grad-cam's.
const EPSILON: f64 = 1e-7;

/// XGrad-CAM (Fu et al. 2020, <https://arxiv.org/abs/2008.02312>): each channel counts as much as its gradient is on
/// average over the map, places being weighted by the activation there, `raw[n, y, x] = Σ_c w[n, c] · activations[n, y, x, c]`
/// with `w = Σ_yx gradients · activations / (Σ_yx activations + 1e-7)`.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let activations = Tensor::new(&[1f32, 3.], &Device::Cpu)?.reshape((1, 1, 2, 1))?;
/// let gradients = Tensor::new(&[4f32, 8.], &Device::Cpu)?.reshape((1, 1, 2, 1))?;
/// let maps = wick_gradcam::x_grad_cam(&activations, &gradients)?;
/// let weight = (4. * 1. + 8. * 3.) / (1. + 3.);
/// assert_eq!(maps.flatten_all()?.to_vec1::<f32>()?, [weight * 1., weight * 3.]);
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// As [`grad_cam`](crate::grad_cam); [`CamError::NotFinite`] also where activations of both signs sum to −1e-7.
pub fn x_grad_cam(activations: &Tensor, gradients: &Tensor) -> Result<Tensor, CamError> {
    pair(activations, gradients)?;
    weights(activations, gradients)?.maps(activations, Reduction::Sum)
}

pub(crate) fn weights(activations: &Tensor, gradients: &Tensor) -> Result<Weights, CamError> {
    let sums = activations.sum((1, 2))?.affine(1.0, EPSILON)?;
    Ok(Weights::Channels(((gradients * activations)?.sum((1, 2))? / sums)?))
}
