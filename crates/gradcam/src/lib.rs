//! Class activation maps of any candle model: where in its image did a network look?
//!
//! A model is explained through two closures: `features`, from images to the activations `(N, h, w, C)` of the layer to look at,
//! and `head`, from there to the logits `(N, K)`. The [`Target`] (what to explain) is apart from the method (a function of
//! activations and gradients, such as [`grad_cam`]). [`explain_with`] takes a [`Method`] by its name, looks at one [`Layer`] or several,
//! smooths, and returns heatmaps of the images' size; [`explain`] is the same for one layer and any function.
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use wick_gradcam::{MapStatus, Target, explain, grad_cam, heatmaps};
//!
//! // A "model" that sees brightness in its first channel and darkness in its second, and tells bright from dark images.
//! let features = |x: &Tensor| Tensor::cat(&[x, &(1.0 - x)?], 3)?.relu();
//! let head = |a: &Tensor| a.mean((1, 2));
//!
//! let image = Tensor::new(&[[0f32, 0.1], [0.2, 1.0]], &Device::Cpu)?.reshape((1, 2, 2, 1))?;
//! let explanation = explain(&image, features, head, &Target::Class(0), grad_cam)?;
//! assert_eq!(explanation.predicted, [1]); // mostly dark, …
//! let map = &heatmaps(&explanation.raw, 4, 4)?[0];
//! assert_eq!(map.status, MapStatus::Normal);
//! assert!(map.values[0] == 0.0 && map.values[15] > 0.999); // … but what is bright is at the bottom right
//! # Ok::<(), wick_gradcam::CamError>(())
//! ```

mod check;
mod dot;
mod error;
mod explain;
mod explain_with;
mod heatmap;
mod layer;
mod method;
mod methods;
mod options;
mod principal;
pub mod quality;
mod resize;
mod symmetric;
mod target;

pub use error::CamError;
pub use explain::{Explanation, explain};
pub use explain_with::{Explained, explain_with};
pub use heatmap::{Heatmap, MapStatus, heatmaps, normalise};
pub use layer::Layer;
pub use method::{Method, Needs};
pub use methods::{
    ablation_cam, eigen_cam, eigen_grad_cam, grad_cam, grad_cam_plus_plus, guided_backprop, guided_grad_cam,
    guided_relu, hires_cam, layer_cam, score_cam, x_grad_cam,
};
pub use options::{CamOptions, ImageLayout, Reduction, Smoothing};
pub use resize::resize_bilinear;
pub use target::{ScoreFunction, Target};
