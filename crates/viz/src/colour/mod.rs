//! Colours: the maps from a number to a colour, and the few that the figures are drawn in.

mod colormap;
pub(crate) mod palette;
mod tables;
mod theme;

pub use colormap::Colormap;
pub(crate) use theme::PAIRS;
pub use theme::Theme;
