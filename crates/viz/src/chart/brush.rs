use super::Place;
use crate::{
    colour::palette::Colour,
    text::{self, Anchor, Style, Weight},
};
use plotters::{
    coord::Shift,
    prelude::{
        Circle, DrawingArea, DrawingAreaErrorKind, DrawingBackend, PathElement, Polygon, Rectangle, Text,
    },
    style::{
        Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// Whether drawing succeeded on the backend `DB`.
pub(crate) type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// The name under which plotters knows the bundled font.
pub(super) const FAMILY: &str = "wick";

/// Draws on a plotters area that is `zoom` times as large as the coordinates given here.
pub(crate) struct Brush<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    zoom: f64,
}

impl<'a, DB: DrawingBackend> Brush<'a, DB> {
    pub(super) fn new(area: &'a DrawingArea<DB, Shift>, zoom: f64) -> Self {
        Self { area, zoom }
    }

    fn at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        ((x * self.zoom).round() as i32, (y * self.zoom).round() as i32)
    }

    fn width(&self, width: f64) -> u32 {
        (width * self.zoom).round().max(1.0) as u32
    }

    /// A straight line with round ends, so that lines join smoothly.
    pub(crate) fn line(&self, a: (f64, f64), b: (f64, f64), colour: Colour, width: f64) -> Drawn<DB> {
        let wide = self.width(width);
        self.area.draw(&PathElement::new(vec![self.at(a), self.at(b)], solid(colour).stroke_width(wide)))?;
        if wide > 3 {
            let end = |p| Circle::new(self.at(p), wide / 2, solid(colour));
            self.area.draw(&end(a))?;
            self.area.draw(&end(b))?;
        }
        Ok(())
    }

    /// A straight horizontal or vertical line with square ends.
    pub(crate) fn rule(&self, a: (f64, f64), b: (f64, f64), colour: Colour, width: f64) -> Drawn<DB> {
        let h = width / 2.0;
        let (dx, dy) = if a.1 == b.1 { (0.0, h) } else { (h, 0.0) };
        let (left, right) = (a.0.min(b.0) - dx, a.0.max(b.0) + dx);
        let (top, bottom) = (a.1.min(b.1) - dy, a.1.max(b.1) + dy);
        self.fill(Place { x: left, y: top, width: right - left, height: bottom - top }, colour)
    }

    pub(crate) fn fill(&self, place: Place, colour: Colour) -> Drawn<DB> {
        let (x0, y0) = self.at((place.x, place.y));
        let (x1, y1) = self.at((place.right(), place.bottom()));
        // plotters draws both corners' pixels.
        self.area.draw(&Rectangle::new([(x0, y0), ((x1 - 1).max(x0), (y1 - 1).max(y0))], solid(colour)))
    }

    pub(crate) fn disc(&self, centre: (f64, f64), radius: f64, colour: Colour) -> Drawn<DB> {
        self.area.draw(&Circle::new(self.at(centre), self.width(radius), solid(colour)))
    }

    pub(crate) fn square(&self, (x, y): (f64, f64), radius: f64, colour: Colour) -> Drawn<DB> {
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
        let corners = corners.map(|(dx, dy)| self.at((x + dx * radius, y + dy * radius))).to_vec();
        self.area.draw(&Polygon::new(corners, solid(colour)))
    }

    /// Fills the polygon, leaving `1 − share` of what lies below it.
    pub(crate) fn glaze(&self, corners: &[(f64, f64)], colour: Colour, share: f64) -> Drawn<DB> {
        let corners: Vec<_> = corners.iter().map(|&p| self.at(p)).collect();
        self.area.draw(&Polygon::new(corners, rgb(colour).mix(share).filled()))
    }

    /// Text with its baseline at `y`.
    pub(crate) fn text(&self, text: &str, style: Style, anchor: Anchor, (x, y): (f64, f64)) -> Drawn<DB> {
        // plotters puts the baseline half a font's height below the point it is given.
        let y = y - f64::from(text::scale(style.size)) / 2.0;
        let style = self.text_style(style, anchor, FontTransform::None);
        self.area.draw(&Text::new(text::one_line(text), self.at((x, y)), style))
    }

    /// Text whose capitals are centred on `y`.
    pub(crate) fn text_centred(
        &self,
        text: &str,
        style: Style,
        anchor: Anchor,
        (x, y): (f64, f64),
    ) -> Drawn<DB> {
        self.text(text, style, anchor, (x, y + f64::from(style.size * text::CAPITAL) / 2.0))
    }

    /// Text reading upwards, its baseline at `x` and its middle at `y`.
    pub(crate) fn text_upwards(&self, text: &str, style: Style, (x, y): (f64, f64)) -> Drawn<DB> {
        let x = x - f64::from(text::scale(style.size)) / 2.0;
        let style = self.text_style(style, Anchor::Middle, FontTransform::Rotate270);
        self.area.draw(&Text::new(text::one_line(text), self.at((x, y)), style))
    }

    fn text_style(&self, style: Style, anchor: Anchor, transform: FontTransform) -> TextStyle<'static> {
        let weight = match style.weight {
            Weight::Regular => FontStyle::Normal,
            Weight::Bold => FontStyle::Bold,
        };
        let along = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let size = f64::from(text::scale(style.size)) * self.zoom;
        let font = FontDesc::new(FontFamily::Name(FAMILY), size, weight).transform(transform);
        TextStyle { font, color: rgb(style.colour).to_backend_color(), pos: Pos::new(along, VPos::Top) }
    }
}

fn rgb([r, g, b]: Colour) -> RGBColor {
    RGBColor(r, g, b)
}

fn solid(colour: Colour) -> ShapeStyle {
    rgb(colour).filled()
}
