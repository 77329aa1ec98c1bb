use super::{
    brush::{Brush, Shape},
    raster, svg,
};
use crate::{RgbImage, Theme, VizError};

/// A figure that is drawn, and can be put into pixels or into an SVG.
#[derive(Clone, Debug)]
pub struct Chart {
    figure: &'static str,
    width: u32,
    height: u32,
    title: String,
    description: String,
    shapes: Vec<Shape>,
}

/// How [`Chart::svg`] writes.
#[derive(Clone, Debug)]
pub struct SvgOptions {
    /// The page it is for.
    pub theme: Theme,
    /// What the `id`s of its letter shapes begin with: one of its own for each SVG that stands in the same HTML page. Signs other
    /// than ASCII letters, digits, `-` and `_` become `-`.
    pub id: String,
}

impl Default for SvgOptions {
    fn default() -> Self {
        Self { theme: Theme::Auto, id: "wick".to_owned() }
    }
}

impl Chart {
    pub(crate) fn draw(
        figure: &'static str,
        (width, height): (f64, f64),
        Words { title, description }: Words,
        draw: impl FnOnce(&mut Brush),
    ) -> Self {
        let mut brush = Brush::default();
        draw(&mut brush);
        Self { figure, width: width as u32, height: height as u32, title, description, shapes: brush.shapes }
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// What the figure is, in a few words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What the figure shows, in sentences, for those who cannot see it.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The figure in pixels.
    ///
    /// # Errors
    /// [`VizError::TooLarge`] where it would be over 11 million pixels, [`VizError::Draw`] where the drawing library fails.
    pub fn png(&self, theme: Theme) -> Result<RgbImage, VizError> {
        raster::rasterize(self.figure, (self.width, self.height), &self.shapes, theme)
    }

    /// The figure as an SVG, without an XML declaration, so that it can also stand in HTML: `role="img"`, with title and
    /// description. Letters are outlines: it needs no font.
    pub fn svg(&self, options: &SvgOptions) -> String {
        svg::write(self, &self.shapes, options)
    }
}

/// What a figure says of itself to those who cannot see it.
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) description: String,
}
