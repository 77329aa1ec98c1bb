use super::Weights;
use crate::check::pair;
use crate::{CamError, Reduction};
use candle_core::Tensor;

/// LayerCAM (Jiang et al. 2021, <https://ieeexplore.ieee.org/document/9462463>): each value counts as much
/// as its own gradient where that is positive, `raw[n, y, x] = Σ_c max(gradients[n, y, x, c], 0) · activations[n, y, x, c]`.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let activations = Tensor::new(&[[1f32, 2.], [3., 4.]], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
/// let gradients = Tensor::new(&[[1f32, 0.], [3., -1.]], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
/// let maps = wick_gradcam::layer_cam(&activations, &gradients)?;
/// assert_eq!(maps.flatten_all()?.to_vec1::<f32>()?, [1. * 1. + 0. * 2., 3. * 3. + 0. * 4.]);
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// As [`grad_cam`](crate::grad_cam).
pub fn layer_cam(activations: &Tensor, gradients: &Tensor) -> Result<Tensor, CamError> {
    pair(activations, gradients)?;
    weights(activations, gradients)?.maps(activations, Reduction::Sum)
}

pub(crate) fn weights(_: &Tensor, gradients: &Tensor) -> Result<Weights, CamError> {
    Ok(Weights::Places(gradients.relu()?))
}
