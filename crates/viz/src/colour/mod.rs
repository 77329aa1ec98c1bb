//! Colours: the maps from a number to a colour, and the few that the figures are drawn in.

mod colormap;
pub(crate) mod palette;
mod tables;

pub use colormap::Colormap;
