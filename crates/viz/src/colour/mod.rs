//! Colours: the maps from a number to a colour, and the few that the figures are drawn in.

mod colormap;
pub(crate) mod palette;
#[cfg(test)]
pub(crate) mod sight;
mod tables;
mod theme;

pub use colormap::Colormap;
pub(crate) use theme::PAIRS;
pub use theme::Theme;
