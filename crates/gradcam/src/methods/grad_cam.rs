use super::Weights;
use crate::check::pair;
use crate::{CamError, Reduction};
use candle_core::Tensor;

/// Grad-CAM (Selvaraju et al. 2017): each channel counts as much as its gradient is on average over the map,
/// `raw[n, y, x] = Σ_c mean_yx(gradients[n, ·, ·, c]) · activations[n, y, x, c]`.
///
/// `activations` and `gradients` are `(N, h, w, C)`; the maps `(N, h, w)` are as they come, before the ReLU of the paper's
/// equation 2, so that what speaks against the target can be seen too. [`normalise`](crate::normalise) applies it.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let activations = Tensor::new(&[[1f32, 2.], [3., 4.]], &Device::Cpu)?.reshape((1, 1, 2, 2))?; // 2 places, 2 channels
/// let gradients = Tensor::new(&[[1f32, 0.], [3., -1.]], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
/// let maps = wick_gradcam::grad_cam(&activations, &gradients)?;
/// assert_eq!(maps.flatten_all()?.to_vec1::<f32>()?, [2. * 1. - 0.5 * 2., 2. * 3. - 0.5 * 4.]);
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// [`CamError::Shape`] if the two are not alike and of four dimensions; [`CamError::NotFinite`], naming the image.
pub fn grad_cam(activations: &Tensor, gradients: &Tensor) -> Result<Tensor, CamError> {
    pair(activations, gradients)?;
    weights(activations, gradients)?.maps(activations, Reduction::Sum)
}

pub(crate) fn weights(_: &Tensor, gradients: &Tensor) -> Result<Weights, CamError> {
    Ok(Weights::Channels(gradients.mean((1, 2))?))
}
