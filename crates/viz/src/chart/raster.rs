//! Shapes to pixels: `plotters` puts them on a bitmap, three times enlarged, which is then averaged down, so that lines and text are
//! smooth.

use super::brush::{Direction, Point, Shape};
use crate::{
    Theme, VizError,
    colour::palette::{Colour, WHITE},
    sheet::PIXEL_LIMIT,
    text::{self, Anchor, Style, Weight},
};
use image::{Rgb, RgbImage};
use plotters::{
    coord::Shift,
    prelude::{
        BitMapBackend, Circle, DrawingArea, DrawingAreaErrorKind, DrawingBackend, IntoDrawingArea,
        PathElement, Polygon, Rectangle, Text,
    },
    style::{
        Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle,
        register_font,
        text_anchor::{HPos, Pos, VPos},
    },
};
use std::sync::Once;

/// How much larger a chart is drawn before it is averaged down.
const ZOOM: u32 = 3;

/// The name under which plotters knows the bundled font.
const FAMILY: &str = "wick";

type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// A picture of `width` × `height` pixels with `shapes` on it.
pub(super) fn rasterize(
    figure: &'static str,
    (width, height): (u32, u32),
    shapes: &[Shape],
    theme: Theme,
) -> Result<RgbImage, VizError> {
    register();
    let (wide, high) = (u64::from(width), u64::from(height));
    if wide * high > PIXEL_LIMIT / u64::from(ZOOM * ZOOM) {
        let limit = PIXEL_LIMIT / u64::from(ZOOM * ZOOM);
        return Err(VizError::TooLarge { figure, width: wide, height: high, limit });
    }
    let mut large = RgbImage::from_pixel(width * ZOOM, height * ZOOM, Rgb(theme.colour(WHITE)));
    {
        let area = BitMapBackend::with_buffer(&mut large, (width * ZOOM, height * ZOOM)).into_drawing_area();
        let failed = |e: &dyn std::fmt::Display| VizError::Draw { figure, detail: e.to_string() };
        let board = Board { area: &area, zoom: f64::from(ZOOM), theme };
        shapes.iter().try_for_each(|shape| board.draw(shape)).map_err(|e| failed(&e))?;
        area.present().map_err(|e| failed(&e))?;
    }
    Ok(RgbImage::from_fn(width, height, |x, y| average(&large, x * ZOOM, y * ZOOM)))
}

fn average(large: &RgbImage, x: u32, y: u32) -> Rgb<u8> {
    let mut sum = [0u32; 3];
    for (dx, dy) in (0..ZOOM).flat_map(|dy| (0..ZOOM).map(move |dx| (dx, dy))) {
        let pixel = large.get_pixel(x + dx, y + dy);
        for (s, &v) in sum.iter_mut().zip(&pixel.0) {
            *s += u32::from(v);
        }
    }
    Rgb(sum.map(|s| ((s + ZOOM * ZOOM / 2) / (ZOOM * ZOOM)) as u8))
}

/// Tells plotters of the bundled font, once; it then asks the system for none.
fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (style, file) in [(FontStyle::Normal, text::REGULAR_FILE), (FontStyle::Bold, text::BOLD_FILE)] {
            // It fails only on a file that is no font; a figure then says that the font is missing.
            let _ = register_font(FAMILY, style, file);
        }
    });
}

/// A plotters area that is `zoom` times as large as the shapes' coordinates.
struct Board<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    zoom: f64,
    theme: Theme,
}

impl<DB: DrawingBackend> Board<'_, DB> {
    fn draw(&self, shape: &Shape) -> Drawn<DB> {
        match shape {
            Shape::Lines { segments, colour, width } => {
                segments.iter().try_for_each(|&(a, b)| self.line(a, b, *colour, *width))
            }
            Shape::Fills { places, colour } => places.iter().try_for_each(|place| {
                let (x0, y0) = self.at((place.x, place.y));
                let (x1, y1) = self.at((place.right(), place.bottom()));
                // plotters draws both corners' pixels.
                let corners = [(x0, y0), ((x1 - 1).max(x0), (y1 - 1).max(y0))];
                self.area.draw(&Rectangle::new(corners, self.solid(*colour)))
            }),
            Shape::Disc { centre, radius, colour } => {
                self.area.draw(&Circle::new(self.at(*centre), self.width(*radius), self.solid(*colour)))
            }
            Shape::Polygon { corners, colour, share } => {
                let corners: Vec<_> = corners.iter().map(|&p| self.at(p)).collect();
                self.area.draw(&Polygon::new(corners, self.rgb(*colour).mix(*share).filled()))
            }
            Shape::Text { text, style, anchor, at: (x, y), direction } => {
                // plotters puts the baseline half a font's height below the point it is given.
                let half = f64::from(text::scale(style.size)) / 2.0;
                let (at, transform) = match direction {
                    Direction::Rightwards => ((*x, y - half), FontTransform::None),
                    Direction::Upwards => ((x - half, *y), FontTransform::Rotate270),
                };
                let style = self.text_style(*style, *anchor, transform);
                self.area.draw(&Text::new(text.clone(), self.at(at), style))
            }
            Shape::Tip { .. } => Ok(()),
        }
    }

    fn line(&self, a: Point, b: Point, colour: Colour, width: f64) -> Drawn<DB> {
        let wide = self.width(width);
        let style = self.solid(colour);
        self.area.draw(&PathElement::new(vec![self.at(a), self.at(b)], style.stroke_width(wide)))?;
        if wide > 3 {
            let end = |p| Circle::new(self.at(p), wide / 2, style);
            self.area.draw(&end(a))?;
            self.area.draw(&end(b))?;
        }
        Ok(())
    }

    fn at(&self, (x, y): Point) -> (i32, i32) {
        ((x * self.zoom).round() as i32, (y * self.zoom).round() as i32)
    }

    fn width(&self, width: f64) -> u32 {
        (width * self.zoom).round().max(1.0) as u32
    }

    fn rgb(&self, colour: Colour) -> RGBColor {
        let [r, g, b] = self.theme.colour(colour);
        RGBColor(r, g, b)
    }

    fn solid(&self, colour: Colour) -> ShapeStyle {
        self.rgb(colour).filled()
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
        TextStyle { font, color: self.rgb(style.colour).to_backend_color(), pos: Pos::new(along, VPos::Top) }
    }
}
