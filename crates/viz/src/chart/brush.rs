//! Recording what a figure draws, shape by shape: one drawing for every output.

use super::Place;
use crate::{
    colour::palette::Colour,
    text::{self, Anchor, Style},
};

pub(crate) type Point = (f64, f64);

/// Something drawn, in pixels of the finished picture; later shapes cover earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Straight lines with round ends.
    Lines {
        segments: Vec<(Point, Point)>,
        colour: Colour,
        width: f64,
    },
    /// Filled rectangles.
    Fills {
        places: Vec<Place>,
        colour: Colour,
    },
    Disc {
        centre: Point,
        radius: f64,
        colour: Colour,
    },
    /// A polygon that lets `1 − share` of what lies below through.
    Polygon {
        corners: Vec<Point>,
        colour: Colour,
        share: f64,
    },
    Text {
        text: String,
        style: Style,
        anchor: Anchor,
        at: Point,
        direction: Direction,
    },
    /// What a pointer near `at` is told; nothing is drawn.
    Tip {
        at: Point,
        text: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Rightwards,
    Upwards,
}

/// Collects shapes.
#[derive(Debug, Default)]
pub(crate) struct Brush {
    pub(super) shapes: Vec<Shape>,
}

impl Brush {
    /// A straight line with round ends, so that lines join smoothly.
    pub(crate) fn line(&mut self, a: Point, b: Point, colour: Colour, width: f64) {
        match self.shapes.last_mut() {
            Some(Shape::Lines { segments, colour: c, width: w }) if (*c, *w) == (colour, width) => {
                segments.push((a, b));
            }
            _ => self.shapes.push(Shape::Lines { segments: vec![(a, b)], colour, width }),
        }
    }

    /// A straight horizontal or vertical line with square ends.
    pub(crate) fn rule(&mut self, a: Point, b: Point, colour: Colour, width: f64) {
        let h = width / 2.0;
        let (dx, dy) = if a.1 == b.1 { (0.0, h) } else { (h, 0.0) };
        let (left, right) = (a.0.min(b.0) - dx, a.0.max(b.0) + dx);
        let (top, bottom) = (a.1.min(b.1) - dy, a.1.max(b.1) + dy);
        self.fill(Place { x: left, y: top, width: right - left, height: bottom - top }, colour);
    }

    pub(crate) fn fill(&mut self, place: Place, colour: Colour) {
        match self.shapes.last_mut() {
            Some(Shape::Fills { places, colour: c }) if *c == colour => places.push(place),
            _ => self.shapes.push(Shape::Fills { places: vec![place], colour }),
        }
    }

    pub(crate) fn disc(&mut self, centre: Point, radius: f64, colour: Colour) {
        self.shapes.push(Shape::Disc { centre, radius, colour });
    }

    pub(crate) fn square(&mut self, (x, y): Point, radius: f64, colour: Colour) {
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
        let corners = corners.map(|(dx, dy)| (x + dx * radius, y + dy * radius)).to_vec();
        self.shapes.push(Shape::Polygon { corners, colour, share: 1.0 });
    }

    /// Fills the polygon, leaving `1 − share` of what lies below it.
    pub(crate) fn glaze(&mut self, corners: &[Point], colour: Colour, share: f64) {
        self.shapes.push(Shape::Polygon { corners: corners.to_vec(), colour, share });
    }

    /// Text with its baseline at `y`.
    pub(crate) fn text(&mut self, text: &str, style: Style, anchor: Anchor, at: Point) {
        self.write(text, style, anchor, at, Direction::Rightwards);
    }

    /// Text whose capitals are centred on `y`.
    pub(crate) fn text_centred(&mut self, text: &str, style: Style, anchor: Anchor, (x, y): Point) {
        self.text(text, style, anchor, (x, y + f64::from(style.size * text::CAPITAL) / 2.0));
    }

    /// Text reading upwards, its baseline at `x` and its middle at `y`.
    pub(crate) fn text_upwards(&mut self, text: &str, style: Style, at: Point) {
        self.write(text, style, Anchor::Middle, at, Direction::Upwards);
    }

    /// What a pointer near `at` is told.
    pub(crate) fn tip(&mut self, at: Point, text: String) {
        self.shapes.push(Shape::Tip { at, text });
    }

    fn write(&mut self, text: &str, style: Style, anchor: Anchor, at: Point, direction: Direction) {
        let text = text::one_line(text);
        if !text.trim().is_empty() {
            self.shapes.push(Shape::Text { text, style, anchor, at, direction });
        }
    }
}
