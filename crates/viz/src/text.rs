//! Text in the bundled font: measuring, fitting, drawing. Sizes are pixels per em, as in CSS.

use crate::colour::palette::Colour;
use ab_glyph::{Font, FontRef, Glyph, OutlineCurve, Point, PxScale, ScaleFont, point};
use image::RgbImage;
use std::sync::LazyLock;

pub(crate) static REGULAR_FILE: &[u8] = include_bytes!("../assets/fonts/Inter-Regular.otf");
pub(crate) static BOLD_FILE: &[u8] = include_bytes!("../assets/fonts/Inter-SemiBold.otf");

static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| bundled(REGULAR_FILE));
static BOLD: LazyLock<FontRef<'static>> = LazyLock::new(|| bundled(BOLD_FILE));

fn bundled(file: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(file).expect("the font is part of the program")
}

/// Height of a capital, as a share of the size.
pub(crate) const CAPITAL: f32 = 0.727;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    pub(crate) size: f32,
    pub(crate) weight: Weight,
    pub(crate) colour: Colour,
}

impl Style {
    pub(crate) const fn regular(size: f32, colour: Colour) -> Self {
        Self { size, weight: Weight::Regular, colour }
    }

    pub(crate) const fn bold(size: f32, colour: Colour) -> Self {
        Self { size, weight: Weight::Bold, colour }
    }

    fn font(self) -> &'static FontRef<'static> {
        self.weight.font()
    }
}

impl Weight {
    fn font(self) -> &'static FontRef<'static> {
        match self {
            Weight::Regular => &REGULAR,
            Weight::Bold => &BOLD,
        }
    }
}

/// Units in which [`advance`] and [`outline`] are told, per size of the text.
pub(crate) fn units_per_em(weight: Weight) -> f32 {
    weight.font().units_per_em().unwrap_or(1000.0)
}

/// How far the next letter stands from this one.
pub(crate) fn advance(letter: char, weight: Weight) -> f32 {
    let font = weight.font();
    font.h_advance_unscaled(font.glyph_id(letter))
}

/// The letter's outline as an SVG path, y upwards from the baseline; empty for a space.
pub(crate) fn outline(letter: char, weight: Weight) -> String {
    let font = weight.font();
    let Some(outline) = font.outline(font.glyph_id(letter)) else { return String::new() };
    let mut path = String::new();
    let mut pen = None;
    for curve in outline.curves {
        let (start, points, sign) = match curve {
            OutlineCurve::Line(a, b) => (a, vec![b], 'l'),
            OutlineCurve::Quad(a, b, c) => (a, vec![b, c], 'q'),
            OutlineCurve::Cubic(a, b, c, d) => (a, vec![b, c, d], 'c'),
        };
        let start = whole(start);
        if pen != Some(start) {
            if pen.is_some() {
                path.push('z');
            }
            path.push_str(&format!("M{} {}", start.0, start.1));
        }
        path.push(sign);
        for (i, point) in points.iter().enumerate() {
            let (x, y) = whole(*point);
            let (dx, dy) = (x - start.0, y - start.1);
            let gap = if i == 0 || dx < 0 { "" } else { " " };
            let between = if dy < 0 { "" } else { " " };
            path.push_str(&format!("{gap}{dx}{between}{dy}"));
            pen = Some((x, y));
        }
    }
    if pen.is_some() {
        path.push('z');
    }
    path
}

fn whole(point: Point) -> (i32, i32) {
    (point.x.round() as i32, point.y.round() as i32)
}

/// What the rasteriser calls the scale of `size` pixels per em: the height from the lowest to the highest letter.
pub(crate) fn scale(size: f32) -> f32 {
    let font = &*REGULAR;
    size * font.height_unscaled() / font.units_per_em().unwrap_or(1000.0)
}

/// `text` on one line: line breaks and other control characters become spaces.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Width of `text` in pixels.
pub(crate) fn width(text: &str, style: Style) -> f32 {
    let font = style.font().as_scaled(scale(style.size));
    one_line(text).chars().map(|c| font.h_advance(font.glyph_id(c))).sum()
}

/// `text` on one line of at most `room` pixels, its end replaced by "…" where it is longer.
pub(crate) fn elide(text: &str, style: Style, room: f32) -> String {
    let text = one_line(text);
    if width(&text, style) <= room {
        return text;
    }
    let font = style.font().as_scaled(scale(style.size));
    let mut left = room - width("…", style);
    let mut short = String::new();
    for c in text.chars() {
        left -= font.h_advance(font.glyph_id(c));
        if left < 0.0 {
            break;
        }
        short.push(c);
    }
    short.truncate(short.trim_end().len());
    short + "…"
}

/// `text` in lines of at most `room` pixels, broken behind spaces, hyphens and plus signs; a longer word is left whole.
pub(crate) fn wrap(text: &str, style: Style, room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in one_line(text).split_inclusive([' ', '-', '+']) {
        match lines.last_mut() {
            Some(line) if width((line.clone() + part).trim_end(), style) <= room => line.push_str(part),
            _ => lines.push(part.to_owned()),
        }
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines
}

/// Draws `text` with its baseline at `y` and its start, middle or end at `x`; what lies outside the image is left out.
pub(crate) fn draw(image: &mut RgbImage, text: &str, style: Style, anchor: Anchor, x: f32, y: f32) {
    let text = one_line(text);
    let whole = width(&text, style);
    let mut x = match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - whole / 2.0,
        Anchor::End => x - whole,
    };
    let scale = scale(style.size);
    let font = style.font().as_scaled(scale);
    for c in text.chars() {
        let id = font.glyph_id(c);
        glyph(image, style, id.with_scale_and_position(PxScale::from(scale), point(x, y.round())));
        x += font.h_advance(id);
    }
}

fn glyph(image: &mut RgbImage, style: Style, glyph: Glyph) {
    let Some(outline) = style.font().outline_glyph(glyph) else { return };
    let corner = outline.px_bounds().min;
    let (left, top) = (corner.x as i64, corner.y as i64);
    outline.draw(|dx, dy, coverage| {
        let (x, y) = (left + i64::from(dx), top + i64::from(dy));
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
            && let Some(pixel) = image.get_pixel_mut_checked(x, y)
        {
            let share = coverage.clamp(0.0, 1.0);
            for (p, &c) in pixel.0.iter_mut().zip(&style.colour) {
                *p = (f32::from(*p) + (f32::from(c) - f32::from(*p)) * share).round() as u8;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::palette::INK;

    const STYLE: Style = Style::regular(14.0, INK);

    #[test]
    fn fonts_hold_every_sign_the_figures_use() {
        for font in [&*REGULAR, &*BOLD] {
            for c in "abcXYZ0189 %…–−×·→⁻⁰¹²³⁴⁵⁶⁷⁸⁹±≤".chars() {
                assert_ne!(font.glyph_id(c).0, 0, "{c}");
            }
        }
    }

    #[test]
    fn elided_text_fits() {
        let long = "a class name that goes on and on";
        for room in [0.0, 20.0, 60.0, 120.0] {
            let short = elide(long, STYLE, room);
            assert!(short.ends_with('…'));
            assert!(width(&short, STYLE) <= room.max(width("…", STYLE)), "{short} in {room}");
        }
        assert_eq!(elide("cat", STYLE, 100.0), "cat");
        assert_eq!(elide("two\nlines", STYLE, 100.0), "two lines");
    }

    #[test]
    fn text_lands_where_it_should() {
        let mut image = RgbImage::from_pixel(80, 40, image::Rgb([255; 3]));
        draw(&mut image, "HH", Style::regular(20.0, [0; 3]), Anchor::End, 60.0, 30.0);
        let inked: Vec<_> = image.enumerate_pixels().filter(|p| p.2.0[0] < 128).map(|p| (p.0, p.1)).collect();
        let (right, bottom) = (inked.iter().map(|p| p.0).max(), inked.iter().map(|p| p.1).max());
        let top = inked.iter().map(|p| p.1).min();
        assert!(right.is_some_and(|x| (55..60).contains(&x)), "{right:?}");
        assert_eq!(bottom, Some(29)); // the last row above the baseline
        assert!(top.is_some_and(|y| (15..=16).contains(&y)), "capitals are 0.727 of 20 pixels high: {top:?}");
    }

    #[test]
    fn drawing_outside_is_harmless() {
        let mut image = RgbImage::new(5, 5);
        for (x, y) in [(-1e9, 0.0), (0.0, 1e9), (f32::NAN, 3.0), (-3.0, 3.0)] {
            draw(&mut image, "Wick", STYLE, Anchor::Start, x, y);
        }
    }
}
