//! A white sheet of paper for pictures in rows and columns.

use crate::{
    VizError,
    colour::palette::{Colour, FRAME, WHITE},
    text::{self, Anchor, Style},
};
use image::{Rgb, RgbImage, imageops};

/// The most pixels a picture may have: 300 MB of memory.
pub(crate) const PIXEL_LIMIT: u64 = 100_000_000;

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rect {
    pub(crate) x: u64,
    pub(crate) y: u64,
    pub(crate) width: u64,
    pub(crate) height: u64,
}

pub(crate) struct Sheet {
    image: RgbImage,
}

impl Sheet {
    pub(crate) fn new(figure: &'static str, width: u64, height: u64) -> Result<Self, VizError> {
        match (u32::try_from(width), u32::try_from(height)) {
            (Ok(w), Ok(h)) if width.saturating_mul(height) <= PIXEL_LIMIT => {
                Ok(Self { image: RgbImage::from_pixel(w, h, Rgb(WHITE)) })
            }
            _ => Err(VizError::TooLarge { figure, width, height, limit: PIXEL_LIMIT }),
        }
    }

    /// Width and height.
    pub(crate) fn size(&self) -> (u64, u64) {
        (u64::from(self.image.width()), u64::from(self.image.height()))
    }

    pub(crate) fn fill(&mut self, rect: Rect, colour: Colour) {
        let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
        for y in rect.y..bottom.min(u64::from(self.image.height())) {
            for x in rect.x..right.min(u64::from(self.image.width())) {
                self.image.put_pixel(x as u32, y as u32, Rgb(colour));
            }
        }
    }

    /// A line of one pixel around `rect`, outside it.
    pub(crate) fn frame(&mut self, rect: Rect, colour: Colour) {
        let Rect { x, y, width, height } = rect;
        let (left, top) = (x.saturating_sub(1), y.saturating_sub(1));
        for edge in [
            Rect { x: left, y: top, width: width + 2, height: 1 },
            Rect { x: left, y: y + height, width: width + 2, height: 1 },
            Rect { x: left, y: top, width: 1, height: height + 2 },
            Rect { x: x + width, y: top, width: 1, height: height + 2 },
        ] {
            self.fill(edge, colour);
        }
    }

    /// Pastes `image` within a frame, and returns its place.
    pub(crate) fn framed(&mut self, image: &RgbImage, x: u64, y: u64) -> Rect {
        let rect = Rect { x, y, width: u64::from(image.width()), height: u64::from(image.height()) };
        self.paste(image, x, y);
        self.frame(rect, FRAME);
        rect
    }

    pub(crate) fn paste(&mut self, image: &RgbImage, x: u64, y: u64) {
        imageops::replace(&mut self.image, image, x as i64, y as i64);
    }

    /// Text with its baseline at `y`.
    pub(crate) fn text(&mut self, text: &str, style: Style, anchor: Anchor, x: f32, y: f32) {
        text::draw(&mut self.image, text, style, anchor, x, y);
    }

    /// Text whose capitals are centred on `y`.
    pub(crate) fn text_centred(&mut self, text: &str, style: Style, anchor: Anchor, x: f32, y: f32) {
        self.text(text, style, anchor, x, y + style.size * text::CAPITAL / 2.0);
    }

    /// Text reading upwards, centred on `x`, with its start, middle or end at `y`.
    pub(crate) fn text_upwards(&mut self, text: &str, style: Style, anchor: Anchor, x: f32, y: f32) {
        let (long, high) = (text::width(text, style).ceil() as u32 + 2, (1.5 * style.size).ceil() as u32);
        let mut line = RgbImage::from_pixel(long, high, Rgb(WHITE));
        let middle = high as f32 / 2.0 + style.size * text::CAPITAL / 2.0;
        text::draw(&mut line, text, style, Anchor::Start, 1.0, middle);
        let line = imageops::rotate270(&line);
        let long = long as f32;
        let top = match anchor {
            Anchor::Start => y - long,
            Anchor::Middle => y - long / 2.0,
            Anchor::End => y,
        };
        self.darken(&line, (x - high as f32 / 2.0).round() as i64, top.round() as i64);
    }

    /// Pastes dark words on white without covering the neighbours with the white.
    fn darken(&mut self, words: &RgbImage, left: i64, top: i64) {
        for (x, y, word) in words.enumerate_pixels() {
            let at = (u32::try_from(left + i64::from(x)), u32::try_from(top + i64::from(y)));
            if let (Ok(x), Ok(y)) = at
                && let Some(pixel) = self.image.get_pixel_mut_checked(x, y)
            {
                pixel.0 = std::array::from_fn(|c| pixel.0[c].min(word.0[c]));
            }
        }
    }

    pub(crate) fn into_image(self) -> RgbImage {
        self.image
    }
}
