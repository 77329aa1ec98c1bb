//! Heat maps: resizing and scaling them, colouring them, laying them over a photo.

mod blend;
mod map;
mod overlay;
mod scale;

pub use blend::Blend;
pub use map::HeatMap;
pub use overlay::{OverlayOptions, heatmap, overlay};
pub use scale::{Range, Scaled, min_max};
