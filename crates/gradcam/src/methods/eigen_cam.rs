use crate::CamError;
use crate::check::{dims, finite, pair, rows};
use crate::principal::first_component;
use candle_core::Tensor;

/// Eigen-CAM (Muhammad & Yeasin 2020, <https://arxiv.org/abs/2008.00299>): what the activations vary in most over the map,
/// their projection on their first principal component, `raw[n] = U₁ · S₁` of the singular value decomposition of the
/// `(h·w, C)` activations less each channel's mean (which pytorch-grad-cam subtracts, the paper does not).
///
/// It asks neither for a target nor for gradients: what it finds is what the layer sees, whatever the network makes of it.
///
/// The sign of a principal component is arbitrary. It is chosen such that the map agrees with the sum over the channels, that
/// is, has no negative product with it; pytorch-grad-cam leaves it to the decomposition.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// // Both channels grow from left to right, the second three times as fast.
/// let activations = Tensor::new(&[[0f32, 0.], [1., 3.], [2., 6.]], &Device::Cpu)?.reshape((1, 1, 3, 2))?;
/// let maps = wick_gradcam::eigen_cam(&activations)?.flatten_all()?.to_vec1::<f32>()?;
/// let root = 10f32.sqrt(); // the length of (1, 3)
/// for (got, want) in maps.iter().zip([-root, 0., root]) {
///     assert!((got - want).abs() < 1e-5);
/// }
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// [`CamError::Shape`] for anything but `(N, h, w, C)`; [`CamError::NotFinite`], naming the image.
pub fn eigen_cam(activations: &Tensor) -> Result<Tensor, CamError> {
    dims::<4>("activations", "(N, h, w, C)", activations)?;
    finite("activations", activations)?;
    first_components(activations)
}

/// EigenGrad-CAM (pytorch-grad-cam's): [`eigen_cam`] of `gradients · activations`, which is what the values that speak for the
/// target vary in most. Its sign is that of [`hires_cam`](crate::hires_cam), the sum of the same products.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let activations = Tensor::new(&[1f32, 2., 3.], &Device::Cpu)?.reshape((1, 1, 3, 1))?;
/// let gradients = Tensor::new(&[1f32, 1., 2.], &Device::Cpu)?.reshape((1, 1, 3, 1))?;
/// let maps = wick_gradcam::eigen_grad_cam(&activations, &gradients)?.flatten_all()?.to_vec1::<f32>()?;
/// // With one channel, the products 1, 2 and 6 less their mean.
/// for (got, want) in maps.iter().zip([-2f32, -1., 3.]) {
///     assert!((got - want).abs() < 1e-5);
/// }
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// As [`grad_cam`](crate::grad_cam).
pub fn eigen_grad_cam(activations: &Tensor, gradients: &Tensor) -> Result<Tensor, CamError> {
    pair(activations, gradients)?;
    first_components(&(activations * gradients)?)
}

/// The maps `(N, h, w)` of the first principal component of `values` `(N, h, w, C)`.
pub(crate) fn first_components(values: &Tensor) -> Result<Tensor, CamError> {
    let (n, h, w, c) = values.dims4()?;
    let mut maps = Vec::with_capacity(n * h * w);
    for image in 0..n {
        let image = values.narrow(0, image, 1)?;
        maps.extend(first_component(&rows(&image)?.concat(), h * w, c));
    }
    let maps = Tensor::from_vec(maps, (n, h, w), values.device())?.to_dtype(values.dtype())?;
    finite("maps", &maps)?;
    Ok(maps)
}
