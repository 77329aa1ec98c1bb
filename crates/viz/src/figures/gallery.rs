//! Pictures in rows with words below or beside each: the layout of every gallery.

use super::caption::{LINE, MARGIN, nothing, some_columns, title, title_size, widest, zoom};
use crate::{
    Photo, RgbImage, VizError, enlarge,
    sheet::{PIXEL_LIMIT, Sheet},
    text::{self, Anchor, Style},
};

/// The most that a long class name may widen a column.
const CAPTION_LIMIT: u64 = 220;
/// More images than these are drawn small, with fewer words beside each.
const ROOMY: usize = 200;
/// Up to so many images have five in a row; more have ten.
const NARROW: usize = 50;
/// The factors that many images are enlarged by: the first that the picture has room for.
const SMALL_ZOOMS: [u32; 2] = [2, 1];
/// The most that a long class name may widen a column beside a small image.
const BRIEF_LIMIT: u64 = 96;
/// Height of words beside a small image, and from one line to the next.
const BRIEF: (f32, u64) = (12.0, 15);

/// How a gallery draws. Up to 200 images have three lines below them. More are drawn twice as large as they are, or as they are where
/// that would be too large a picture, each beside a few words: ten thousand of CIFAR's fit.
#[derive(Clone, Debug)]
pub struct GalleryOptions {
    /// Above the images, if any.
    pub title: Option<String>,
    /// Images in a row, fewer where there are fewer; `None` takes five, beyond 50 images ten, and beyond 200 as many as make the
    /// picture a square.
    pub columns: Option<usize>,
    /// How many pixels wide and high each pixel becomes; `None` brings the images near 128 pixels, unless there are over 200.
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
            columns: None,
            zoom: None,
            order: Order::AsGiven,
            none: "no image to show".to_owned(),
        }
    }
}

/// A picture of a gallery.
pub(super) struct Tile<'a> {
    pub(super) image: Photo<'a>,
    /// What it is ordered by.
    pub(super) confidence: f64,
    /// Below the image.
    pub(super) caption: [(String, Style); 3],
    /// Beside it, where there are many.
    pub(super) brief: [(String, Style); 3],
}

/// `words` behind the number of their image.
pub(super) fn numbered(index: Option<usize>, words: &str) -> String {
    index.map_or_else(|| words.to_owned(), |index| format!("#{index} {words}"))
}

pub(super) fn draw(
    figure: &'static str,
    mut tiles: Vec<Tile<'_>>,
    options: &GalleryOptions,
) -> Result<RgbImage, VizError> {
    if let Some(columns) = options.columns {
        some_columns(figure, columns)?;
    }
    let usual = zoom(options.zoom, tiles.iter().map(|t| t.image))?;
    if tiles.is_empty() {
        return nothing(figure, options.title.as_deref(), &options.none);
    }
    sort(&mut tiles, options.order);
    if tiles.len() > ROOMY {
        shrink(&mut tiles);
    }
    let layout = match (tiles.len() > ROOMY, options.zoom) {
        (false, _) => Layout::below(&tiles, usual, options),
        (true, Some(zoom)) => Layout::beside(&tiles, zoom, options),
        (true, None) => {
            let [large, small] = SMALL_ZOOMS.map(|zoom| Layout::beside(&tiles, zoom, options));
            if large.pixels() <= PIXEL_LIMIT { large } else { small }
        }
    };
    let mut sheet = Sheet::new(figure, layout.width, layout.height)?;
    title(&mut sheet, options.title.as_deref(), layout.width);
    for (place, tile) in (0u64..).zip(&tiles) {
        layout.draw(&mut sheet, tile, place)?;
    }
    Ok(sheet.into_image())
}

/// Puts the few words in the place of the others.
fn shrink(tiles: &mut [Tile<'_>]) {
    for tile in tiles {
        for (line, brief) in tile.caption.iter_mut().zip(&mut tile.brief) {
            brief.1.size = BRIEF.0;
            std::mem::swap(line, brief);
        }
    }
}

/// Where a caption's first line begins, from the corner of the image's place, and how far it is to the next.
struct Words {
    x: u64,
    y: u64,
    line: u64,
    width: u64,
}

struct Layout {
    zoom: u32,
    tile_height: u64,
    words: Words,
    columns: u64,
    /// From one tile to the next, across and down.
    pitch: (u64, u64),
    top: u64,
    width: u64,
    height: u64,
}

impl Layout {
    /// Words below the images.
    fn below(tiles: &[Tile<'_>], zoom: u32, options: &GalleryOptions) -> Self {
        let (tile_width, tile_height) = sides(tiles, zoom);
        let width = tile_width.max(captions(tiles).min(CAPTION_LIMIT));
        let words = Words { x: 0, y: tile_height.saturating_add(2), line: LINE, width };
        let usual = if tiles.len() > NARROW { 10 } else { 5 };
        let cell = (width, tile_height.saturating_add(8 + 3 * LINE));
        Self::new(tiles, zoom, words, (cell, 20, usual), options)
    }

    /// Words to the right of the images.
    fn beside(tiles: &[Tile<'_>], zoom: u32, options: &GalleryOptions) -> Self {
        let (tile_width, tile_height) = sides(tiles, zoom);
        let (width, line) = (captions(tiles).min(BRIEF_LIMIT), BRIEF.1);
        let high = tile_height.max(3 * line);
        let words = Words { x: tile_width.saturating_add(6), y: (high - 3 * line) / 2, line, width };
        let cell = (tile_width.saturating_add(6 + width), high);
        let square = (tiles.len() as f64 * (cell.1 + 10) as f64 / (cell.0 + 10) as f64).sqrt().round();
        Self::new(tiles, zoom, words, (cell, 10, square as usize), options)
    }

    fn new(
        tiles: &[Tile<'_>],
        zoom: u32,
        words: Words,
        (cell, gap, usual): ((u64, u64), u64, usize),
        options: &GalleryOptions,
    ) -> Self {
        let columns = options.columns.unwrap_or(usual).clamp(1, tiles.len().max(1)) as u64;
        let rows = (tiles.len() as u64).div_ceil(columns);
        let (head, title_width) = title_size(options.title.as_deref());
        let pitch = (cell.0.saturating_add(gap), cell.1.saturating_add(gap));
        let along = |n: u64, pitch: u64| n.saturating_mul(pitch).saturating_sub(gap);
        Self {
            zoom,
            tile_height: sides(tiles, zoom).1,
            words,
            columns,
            pitch,
            top: MARGIN + head,
            width: along(columns, pitch.0).max(title_width).saturating_add(2 * MARGIN),
            height: along(rows, pitch.1).saturating_add(2 * MARGIN + head),
        }
    }

    fn pixels(&self) -> u64 {
        self.width.saturating_mul(self.height)
    }

    fn draw(&self, sheet: &mut Sheet, tile: &Tile<'_>, place: u64) -> Result<(), VizError> {
        let x = MARGIN + place % self.columns * self.pitch.0;
        let y = self.top + place / self.columns * self.pitch.1;
        let image = enlarge(tile.image, self.zoom)?;
        sheet.framed(&image, x, y + self.tile_height - u64::from(image.height()));
        for (line, (text, style)) in (1u64..).zip(&tile.caption) {
            let text = text::elide(text, *style, self.words.width as f32);
            let (x, y) = (x + self.words.x, y + self.words.y + line * self.words.line);
            sheet.text(&text, *style, Anchor::Start, x as f32, y as f32);
        }
        Ok(())
    }
}

/// Width and height of the largest image.
fn sides(tiles: &[Tile<'_>], zoom: u32) -> (u64, u64) {
    let side = |of: fn(Photo<'_>) -> usize| {
        tiles.iter().map(|t| (of(t.image) as u64).saturating_mul(u64::from(zoom))).max().unwrap_or(0)
    };
    (side(|p| p.size().width), side(|p| p.size().height))
}

fn captions(tiles: &[Tile<'_>]) -> u64 {
    widest(tiles.iter().flat_map(|t| &t.caption))
}

fn sort(tiles: &mut [Tile<'_>], order: Order) {
    let missing = |t: &Tile<'_>| t.confidence.is_nan();
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
            let words = || [(); 3].map(|()| (String::new(), super::super::caption::PLAIN));
            let mut tiles = [0.4, f64::NAN, 0.9, 0.6].map(|confidence| Tile {
                image,
                confidence,
                caption: words(),
                brief: words(),
            });
            sort(&mut tiles, order);
            tiles.map(|t| t.confidence)
        };
        assert_eq!(format!("{:?}", order(Order::AsGiven)), "[0.4, NaN, 0.9, 0.6]");
        assert_eq!(format!("{:?}", order(Order::MostConfident)), "[0.9, 0.6, 0.4, NaN]");
        assert_eq!(format!("{:?}", order(Order::LeastConfident)), "[0.4, 0.6, 0.9, NaN]");
    }
}
