//! The bar below a grid of heat maps that explains its colours.

use super::caption::{MARGIN, PLAIN};
use crate::{
    Colormap,
    colour::palette::FRAME,
    sheet::{Rect, Sheet},
    text::Anchor,
};

const THICK: u64 = 14;

/// Whether a grid explains its colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorBar {
    /// Below the grid.
    #[default]
    Shown,
    /// Left out.
    Hidden,
}

impl ColorBar {
    /// What it adds to a picture's height.
    pub(super) fn height(self) -> u64 {
        match self {
            Self::Shown => THICK + 20,
            Self::Hidden => 0,
        }
    }
}

/// Draws the bar at the bottom of `sheet`, in its middle.
pub(super) fn draw(sheet: &mut Sheet, colormap: Colormap) {
    let (width, height) = sheet.size();
    let length = (width - 2 * MARGIN).saturating_sub(90).min(256);
    let (x, y) = ((width - length) / 2, height - MARGIN - THICK);
    for i in 0..length {
        let colour = colormap.at(i as f32 / (length - 1).max(1) as f32);
        sheet.fill(Rect { x: x + i, y, width: 1, height: THICK }, colour);
    }
    sheet.frame(Rect { x, y, width: length, height: THICK }, FRAME);
    let middle = (y + THICK / 2) as f32;
    sheet.text_centred("low", PLAIN, Anchor::End, x as f32 - 10.0, middle);
    sheet.text_centred("high", PLAIN, Anchor::Start, (x + length) as f32 + 10.0, middle);
}
