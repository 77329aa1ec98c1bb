//! Charts as inline SVG, drawn in the page's own colours: each line has a class and the style sheet says the rest.

mod axis;
mod lines;
mod reliability;
#[cfg(test)]
mod stored;
mod values;

pub(crate) use axis::Format;
pub(crate) use lines::{Chart, Height, Line, Mark, XAxis};
pub(crate) use reliability::reliability;
pub(crate) use values::{Column, Panel, Told, Values, notes};

/// Width of every chart in its own units, which are close to a pixel wherever it is shown.
const WIDTH: f64 = 440.0;

/// Where a chart's data lie within it.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    /// With room for the numbers beside and below.
    fn of(height: f64) -> Self {
        Self { left: 46.0, top: 10.0, right: WIDTH - 12.0, bottom: height - 36.0 }
    }

    /// From left (0) to right (1).
    fn x(&self, share: f64) -> f64 {
        self.left + share * (self.right - self.left)
    }

    /// From the bottom (0) to the top (1).
    fn y(&self, share: f64) -> f64 {
        self.bottom - share * (self.bottom - self.top)
    }
}

/// A coordinate, to a tenth of a pixel.
fn at(v: f64) -> String {
    format!("{v:.1}")
}
