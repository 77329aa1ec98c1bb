use super::Weights;
use crate::check::pair;
use crate::{CamError, Reduction};
use candle_core::Tensor;

/// Keeps the quotient defined where a gradient is 0; pytorch-grad-cam's.
const EPSILON: f64 = 1e-6;

/// Grad-CAM++ (Chattopadhay et al. 2018, <https://arxiv.org/abs/1710.11063>): each channel counts as much as its positive
/// gradients `g`, weighted so that a channel that is active in few places is not outweighed by one that is active in many,
/// `raw[n, y, x] = Σ_c w[n, c] · activations[n, y, x, c]` with `w = Σ_yx α · max(g, 0)` (equation 7) and
/// `α = g² / (2g² + Σ_yx activations · g³ + 1e-6)` (equation 19).
///
/// The paper explains the exponential of the logit, whose second and third derivatives are powers of the first; as
/// pytorch-grad-cam does, this takes the gradient of the score itself.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let activations = Tensor::new(&[2f32, 0.], &Device::Cpu)?.reshape((1, 1, 2, 1))?;
/// let gradients = Tensor::new(&[1f32, -1.], &Device::Cpu)?.reshape((1, 1, 2, 1))?;
/// let maps = wick_gradcam::grad_cam_plus_plus(&activations, &gradients)?;
/// // α = 1 / (2 + 2 · 1) where the gradient is 1; the other place is left out.
/// assert!((maps.flatten_all()?.to_vec1::<f32>()?[0] - 0.25 * 2.).abs() < 1e-6);
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// As [`grad_cam`](crate::grad_cam).
pub fn grad_cam_plus_plus(activations: &Tensor, gradients: &Tensor) -> Result<Tensor, CamError> {
    pair(activations, gradients)?;
    weights(activations, gradients)?.maps(activations, Reduction::Sum)
}

pub(crate) fn weights(activations: &Tensor, gradients: &Tensor) -> Result<Weights, CamError> {
    let squares = gradients.sqr()?;
    let sums = activations.sum_keepdim((1, 2))?;
    let cubes = (&squares * gradients)?;
    let divisor = ((&squares * 2.0)? + cubes.broadcast_mul(&sums)?)?.affine(1.0, EPSILON)?;
    let alpha = (squares / divisor)?;
    Ok(Weights::Channels((alpha * gradients.relu()?)?.sum((1, 2))?))
}
