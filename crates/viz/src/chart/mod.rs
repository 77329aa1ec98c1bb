//! Line charts: axes with round ticks, a legend above the lines and never on them, gaps where a value is not finite. Figures
//! describe [`Panel`]s as data, which are drawn as shapes, and these put into pixels or into an SVG.

mod axis;
mod band;
mod bar;
mod brush;
mod draw;
mod flags;
mod line;
mod picture;
mod raster;
mod svg;
mod tips;

pub(crate) use axis::{Axis, Ticks, finite, log10};
pub(crate) use brush::Brush;
pub(crate) use draw::{draw_panel, key, left_gutter};
pub(crate) use flags::Flag;
pub(crate) use picture::Words;
pub use picture::{Chart, SvgOptions};

use crate::colour::palette::Colour;

/// A rectangle in pixels of the finished picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Place {
    pub(crate) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stroke {
    Solid,
    Dashed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Marker {
    None,
    Disc,
    Square,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Where the names of a panel's lines are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Legend {
    /// Above the lines.
    Above,
    /// Outside the panel.
    Elsewhere,
}

/// One line of a panel; values that are not finite are gaps in it.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// What the legend and the pointer's tips say; not in the legend if empty.
    pub(crate) name: String,
    /// What the legend adds to the name.
    pub(crate) note: String,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) colour: Colour,
    pub(crate) width: f64,
    pub(crate) stroke: Stroke,
    pub(crate) marker: Marker,
    /// The axis that its values belong to.
    pub(crate) side: Side,
}

/// A bar from `low` to `high` over a stretch of the x axis, both in the axes' units.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) colour: Colour,
    /// How much of what lies below it covers, up to 1.
    pub(crate) share: f64,
    /// Above its upper end.
    pub(crate) text: String,
    /// What a pointer on it is told.
    pub(crate) tip: String,
}

/// What bars of a colour are.
#[derive(Clone, Debug)]
pub(crate) struct Swatch {
    pub(crate) name: &'static str,
    pub(crate) colour: Colour,
    /// As the bars'.
    pub(crate) share: f64,
}

/// The room between two lines, in a colour that lets through what lies below; where either is not finite there is a gap.
#[derive(Clone, Debug)]
pub(crate) struct Band {
    /// Position, lower end and upper end.
    pub(crate) points: Vec<(f64, f64, f64)>,
    pub(crate) colour: Colour,
}

/// A chart of its own, with everything around it.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    /// A remark at the right end of the title's line.
    pub(crate) aside: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) right: Option<Axis>,
    /// Below bands and lines.
    pub(crate) bars: Vec<Bar>,
    /// Below the lines.
    pub(crate) bands: Vec<Band>,
    pub(crate) series: Vec<Series>,
    /// What the bars' colours mean, in a row above the lines' names.
    pub(crate) swatches: Vec<Swatch>,
    pub(crate) legend: Legend,
    pub(crate) flags: Vec<Flag>,
    /// The least width of what stands left of the lines, so that panels above each other align.
    pub(crate) gutter: f64,
}
