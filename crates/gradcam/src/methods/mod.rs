//! The methods: each a small function from activations and gradients, or from activations and forward passes, to raw maps.
//!
//! Most weigh the activations, a channel or a place at a time, and sum over the channels. Each file has the weights as a
//! crate-wide function over checked tensors, for [`explain_with`](crate::explain_with), and the method as a public one.

mod ablation_cam;
mod eigen_cam;
mod grad_cam;
mod grad_cam_plus_plus;
mod guided;
mod hires_cam;
mod layer_cam;
mod score_cam;
mod weights;
mod x_grad_cam;

pub use ablation_cam::ablation_cam;
pub use eigen_cam::{eigen_cam, eigen_grad_cam};
pub use grad_cam::grad_cam;
pub use grad_cam_plus_plus::grad_cam_plus_plus;
pub use guided::{guided_backprop, guided_grad_cam, guided_relu};
pub use hires_cam::hires_cam;
pub use layer_cam::layer_cam;
pub use score_cam::score_cam;
pub use x_grad_cam::x_grad_cam;

pub(crate) use eigen_cam::first_components;
pub(crate) use guided::{INPUT, guided_gradients, saliency, times_maps};
pub(crate) use weights::Weights;

/// The weights of each method, of tensors that were checked.
pub(crate) mod weigh {
    pub(crate) use super::ablation_cam::weights as ablation_cam;
    pub(crate) use super::grad_cam::weights as grad_cam;
    pub(crate) use super::grad_cam_plus_plus::weights as grad_cam_plus_plus;
    pub(crate) use super::hires_cam::weights as hires_cam;
    pub(crate) use super::layer_cam::weights as layer_cam;
    pub(crate) use super::score_cam::weights as score_cam;
    pub(crate) use super::x_grad_cam::weights as x_grad_cam;
}
