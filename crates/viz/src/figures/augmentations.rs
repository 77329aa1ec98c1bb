use super::caption::{HEADING, PLAIN, TITLE, nothing, widest, zoom};
use crate::{
    Photo, RgbImage, VizError,
    colour::palette::FRAME,
    enlarge,
    sheet::{Rect, Sheet},
    text::{self, Anchor},
};

const FIGURE: &str = "augmentation sheet";
const MARGIN: u64 = 24;
const GAP: u64 = 8;
/// Between the original and its draws.
const BREAK: u64 = 24;
const CAPTION_LIMIT: u64 = 150;

/// An image and what the augmentation made of it.
#[derive(Clone, Copy, Debug)]
pub struct AugmentationRow<'a> {
    /// The image as it is in the data.
    pub original: Photo<'a>,
    /// Draws, of any size; rows may have different numbers of them.
    pub draws: &'a [Photo<'a>],
    /// Left of the row, such as the class's name; may be empty.
    pub caption: &'a str,
}

/// How [`augmentations`] draws.
#[derive(Clone, Debug)]
pub struct AugmentationsOptions {
    /// Above the images, if any.
    pub title: Option<String>,
    /// How many pixels wide and high each pixel becomes; `None` brings the images near 96 pixels.
    pub zoom: Option<u32>,
    /// What the picture says if there is no row.
    pub none: String,
}

impl Default for AugmentationsOptions {
    fn default() -> Self {
        Self { title: None, zoom: None, none: "no image to augment".to_owned() }
    }
}

/// Each image beside what the augmentation made of it, enlarged without smearing. Without a row, a picture that says so.
///
/// # Errors
/// [`VizError::OutOfRange`] if `zoom` is 0, [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn augmentations(
    rows: &[AugmentationRow<'_>],
    options: &AugmentationsOptions,
) -> Result<RgbImage, VizError> {
    let photos = || rows.iter().flat_map(|r| r.draws.iter().copied().chain([r.original]));
    let zoom = match options.zoom {
        None => (3 * zoom(None, photos())? / 4).max(1),
        given => zoom(given, photos())?,
    };
    if rows.is_empty() {
        return nothing(FIGURE, options.title.as_deref(), &options.none);
    }
    let side = |of: fn(Photo<'_>) -> usize| {
        photos().map(|p| (of(p) as u64).saturating_mul(u64::from(zoom))).max().unwrap_or(0)
    };
    let (tile_width, tile_height) = (side(|p| p.size().width), side(|p| p.size().height));
    let column = tile_width.max(text::width("original", HEADING).ceil() as u64);
    let draws = rows.iter().map(|r| r.draws.len()).max().unwrap_or(0) as u64;
    let captions: Vec<_> = rows.iter().map(|r| (r.caption.to_owned(), PLAIN)).collect();
    let gutter = match widest(captions.iter()).min(CAPTION_LIMIT) {
        0 => 0,
        wide => wide + 14,
    };
    let head = if options.title.is_some() { 40 } else { 0 };
    let left = MARGIN + gutter;
    let beside = if draws == 0 { 0 } else { BREAK.saturating_add(draws.saturating_mul(column + GAP)) - GAP };
    let title_width = options.title.as_ref().map_or(0, |t| text::width(t, TITLE).ceil() as u64).min(700);
    let width = (left + column).saturating_add(beside).max(MARGIN + title_width).saturating_add(MARGIN);
    let top = MARGIN + head + 24;
    let height = (rows.len() as u64)
        .saturating_mul(tile_height.saturating_add(GAP))
        .saturating_add(top + MARGIN - GAP);
    let mut sheet = Sheet::new(FIGURE, width, height)?;
    if let Some(title) = &options.title {
        let title = text::elide(title, TITLE, (width - 2 * MARGIN) as f32);
        sheet.text(&title, TITLE, Anchor::Start, MARGIN as f32, MARGIN as f32 + 16.0);
    }
    let x_of = |draw: u64| left + column + BREAK + draw * (column + GAP);
    let middle = |x: u64| (x + column / 2) as f32;
    sheet.text("original", HEADING, Anchor::Middle, middle(left), top as f32 - 10.0);
    for draw in 0..draws {
        let name = if draw == 0 { "draw 1".to_owned() } else { (draw + 1).to_string() };
        sheet.text(&name, HEADING, Anchor::Middle, middle(x_of(draw)), top as f32 - 10.0);
    }
    for (i, row) in (0u64..).zip(rows) {
        let y = top + i * (tile_height + GAP);
        let caption = text::elide(row.caption, PLAIN, CAPTION_LIMIT as f32);
        let centre = (y + tile_height / 2) as f32;
        sheet.text_centred(&caption, PLAIN, Anchor::End, (left - 14.min(left)) as f32, centre);
        let tiles =
            [(left, row.original)].into_iter().chain((0u64..).map(x_of).zip(row.draws.iter().copied()));
        for (x, photo) in tiles {
            let image = enlarge(photo, zoom)?;
            let (w, h) = (u64::from(image.width()), u64::from(image.height()));
            let (x, y) = (x + (column - w) / 2, y + (tile_height - h) / 2);
            sheet.paste(&image, x, y);
            sheet.frame(Rect { x, y, width: w, height: h }, FRAME);
        }
    }
    Ok(sheet.into_image())
}
