//! The methods: each a small function from activations and gradients to raw maps.

use crate::CamError;
use crate::check::{dims, finite};
use candle_core::Tensor;

/// Grad-CAM (Selvaraju et al. 2017): each channel counts as much as its gradient is on average over the map,
/// `raw[n, y, x] = Σ_c mean_yx(gradients[n, ·, ·, c]) · activations[n, y, x, c]`.
///
/// `activations` and `gradients` are `(N, h, w, C)`; the maps `(N, h, w)` are as they come, before the ReLU of the paper's
/// equation 2, so that what speaks against the target can be seen too. [`normalise`](crate::normalise) applies it.
///
/// # Errors
/// [`CamError::Shape`] if the two are not alike and of four dimensions; [`CamError::NotFinite`], naming the image.
pub fn grad_cam(activations: &Tensor, gradients: &Tensor) -> Result<Tensor, CamError> {
    let [n, h, w, c] = dims("activations", "(N, h, w, C)", activations)?;
    if gradients.dims() != [n, h, w, c] {
        return Err(CamError::Shape {
            what: "gradients",
            expected: format!("like the activations, {:?}", [n, h, w, c]),
            got: gradients.shape().clone(),
        });
    }
    finite("activations", activations)?;
    finite("gradients", gradients)?;
    let weights = gradients.mean((1, 2))?.reshape((n, 1, 1, c))?;
    let raw = activations.broadcast_mul(&weights)?.sum(3)?;
    finite("maps", &raw)?;
    Ok(raw)
}
