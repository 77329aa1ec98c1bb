//! Pictures in rows with words below each: the layout of every gallery.

use super::caption::{LINE, MARGIN, nothing, some_columns, title, title_size, widest, zoom};
use crate::{
    Photo, RgbImage, VizError, enlarge,
    sheet::Sheet,
    text::{self, Anchor, Style},
};

const GAP: u64 = 20;
/// The most that a long class name may widen a column.
const CAPTION_LIMIT: u64 = 220;

/// How a gallery draws.
#[derive(Clone, Debug)]
pub struct GalleryOptions {
    /// Above the images, if any.
    pub title: Option<String>,
    /// Images in a row; fewer where there are fewer.
    pub columns: usize,
    /// How many pixels wide and high each pixel becomes; `None` brings the images near 128 pixels.
    pub zoom: Option<u32>,
    /// The order.
    pub order: Order,
    /// What the picture says if there is no image.
    pub none: String,
}

/// The order of a gallery. What has no number is last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As given.
    #[default]
    AsGiven,
    /// The surest first: by the probability of the prediction, or by its margin over the next.
    MostConfident,
    /// The least sure first.
    LeastConfident,
}

impl Default for GalleryOptions {
    fn default() -> Self {
        Self {
            title: None,
            columns: 5,
            zoom: None,
            order: Order::AsGiven,
            none: "no image to show".to_owned(),
        }
    }
}

/// A picture of a gallery.
pub(super) struct Tile<'a, const LINES: usize> {
    pub(super) image: Photo<'a>,
    /// What it is ordered by.
    pub(super) confidence: f64,
    pub(super) caption: [(String, Style); LINES],
}

pub(super) fn draw<const LINES: usize>(
    figure: &'static str,
    mut tiles: Vec<Tile<'_, LINES>>,
    options: &GalleryOptions,
) -> Result<RgbImage, VizError> {
    let columns = some_columns(figure, options.columns)?;
    let zoom = zoom(options.zoom, tiles.iter().map(|t| t.image))?;
    if tiles.is_empty() {
        return nothing(figure, options.title.as_deref(), &options.none);
    }
    sort(&mut tiles, options.order);
    let side = |of: fn(Photo<'_>) -> usize| {
        tiles.iter().map(|t| (of(t.image) as u64).saturating_mul(u64::from(zoom))).max().unwrap_or(0)
    };
    let (tile_width, tile_height) = (side(|p| p.size().width), side(|p| p.size().height));
    let cell_width = tile_width.max(widest(tiles.iter().flat_map(|t| &t.caption)).min(CAPTION_LIMIT));
    let cell_height = tile_height.saturating_add(8 + LINES as u64 * LINE);
    let columns = columns.min(tiles.len() as u64);
    let rows = (tiles.len() as u64).div_ceil(columns);
    let (head, title_width) = title_size(options.title.as_deref());
    let along = |n: u64, cell: u64| n.saturating_mul(cell.saturating_add(GAP)).saturating_sub(GAP);
    let width = along(columns, cell_width).max(title_width).saturating_add(2 * MARGIN);
    let height = along(rows, cell_height).saturating_add(2 * MARGIN + head);
    let mut sheet = Sheet::new(figure, width, height)?;
    title(&mut sheet, options.title.as_deref(), width);
    for (place, tile) in (0u64..).zip(&tiles) {
        let x = MARGIN + place % columns * (cell_width + GAP);
        let y = MARGIN + head + place / columns * (cell_height + GAP);
        let image = enlarge(tile.image, zoom)?;
        sheet.framed(&image, x, y + tile_height - u64::from(image.height()));
        for (line, (text, style)) in (1u64..).zip(&tile.caption) {
            let text = text::elide(text, *style, cell_width as f32);
            sheet.text(&text, *style, Anchor::Start, x as f32, (y + tile_height + 2 + line * LINE) as f32);
        }
    }
    Ok(sheet.into_image())
}

fn sort<const LINES: usize>(tiles: &mut [Tile<'_, LINES>], order: Order) {
    let missing = |t: &Tile<'_, LINES>| t.confidence.is_nan();
    match order {
        Order::AsGiven => {}
        Order::MostConfident => {
            tiles.sort_by(|a, b| missing(a).cmp(&missing(b)).then(b.confidence.total_cmp(&a.confidence)));
        }
        Order::LeastConfident => {
            tiles.sort_by(|a, b| missing(a).cmp(&missing(b)).then(a.confidence.total_cmp(&b.confidence)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        let image = Photo::new(&[0; 3], 1, 1).unwrap();
        let order = |order| {
            let mut tiles =
                [0.4, f64::NAN, 0.9, 0.6].map(|confidence| Tile { image, confidence, caption: [] });
            sort(&mut tiles, order);
            tiles.map(|t| t.confidence)
        };
        assert_eq!(format!("{:?}", order(Order::AsGiven)), "[0.4, NaN, 0.9, 0.6]");
        assert_eq!(format!("{:?}", order(Order::MostConfident)), "[0.9, 0.6, 0.4, NaN]");
        assert_eq!(format!("{:?}", order(Order::LeastConfident)), "[0.4, 0.6, 0.9, NaN]");
    }
}
