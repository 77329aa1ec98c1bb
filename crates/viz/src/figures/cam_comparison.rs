use super::caption::{HEADING, LINE, MARGIN, lines, nothing, title, title_size, widest, zoom};
use super::color_bar::{self, ColorBar};
use crate::{
    HeatMap, OverlayOptions, Photo, Range, RgbImage, VizError,
    colour::palette::{GRID, INK},
    enlarge,
    error::same_length,
    min_max, overlay,
    sheet::{Rect, Sheet},
    text::{self, Anchor, Style},
};

const FIGURE: &str = "comparison of class activation maps";
const GAP: u64 = 8;
/// Between the captions, the images and the maps.
const BREAK: u64 = 16;
const CAPTION_LIMIT: u64 = 180;
/// The most that a long head may widen the columns.
const HEAD_LIMIT: u64 = 128;

/// An image with several maps of what the network looked at.
#[derive(Clone, Copy, Debug)]
pub struct ComparedCams<'a> {
    /// The image.
    pub image: Photo<'a>,
    /// A map for each column, of any size; each is resized and scaled to 0..=1 here.
    pub maps: &'a [HeatMap<'a>],
    /// The true class's name; empty where it is not known.
    pub truth: &'a str,
    /// The predicted class's name.
    pub predicted: &'a str,
    /// The probability given to the prediction, a fraction.
    pub probability: f64,
}

/// How [`cam_comparison`] draws.
#[derive(Clone, Debug)]
pub struct CamComparisonOptions {
    /// Above the images, if any.
    pub title: Option<String>,
    /// How many pixels wide and high each pixel becomes; `None` brings the images near 128 pixels, of more than six columns
    /// near 96.
    pub zoom: Option<u32>,
    /// Colours and share of the maps.
    pub overlay: OverlayOptions,
    /// Whether the colours are explained.
    pub color_bar: ColorBar,
    /// What the picture says if there is no case.
    pub none: String,
}

impl Default for CamComparisonOptions {
    fn default() -> Self {
        Self {
            title: None,
            zoom: None,
            overlay: OverlayOptions::default(),
            color_bar: ColorBar::Shown,
            none: "no image to explain".to_owned(),
        }
    }
}

/// For each case a row: true class, predicted class and probability, the image, enlarged without smearing, and each of its maps over
/// it, below the heads of the `columns`, such as methods or layers, which may have several lines. A map whose values are all equal leaves the image as
/// it is and is said to be flat. Without a case, a picture that says so.
///
/// # Errors
/// [`VizError::Length`] if a case has not one map for each column, [`VizError::OutOfRange`] if `zoom` is 0 or `overlay.alpha` not within
/// 0..=1, [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn cam_comparison<S: AsRef<str>>(
    columns: &[S],
    cases: &[ComparedCams<'_>],
    options: &CamComparisonOptions,
) -> Result<RgbImage, VizError> {
    for case in cases {
        same_length(FIGURE, "maps of a case, one for each column", columns.len(), case.maps.len())?;
    }
    let photos = || cases.iter().map(|c| c.image);
    let zoom = match options.zoom {
        None if columns.len() > 6 => (3 * zoom(None, photos())? / 4).max(1),
        given => zoom(given, photos())?,
    };
    if cases.is_empty() {
        return nothing(FIGURE, options.title.as_deref(), &options.none);
    }
    let side = |of: fn(Photo<'_>) -> usize| {
        photos().map(|p| (of(p) as u64).saturating_mul(u64::from(zoom))).max().unwrap_or(0)
    };
    let heads: Vec<Vec<_>> = ["image"]
        .into_iter()
        .chain(columns.iter().map(AsRef::as_ref))
        .map(|head| head.lines().map(|line| (line.to_owned(), HEADING)).collect())
        .collect();
    let tile_width = side(|p| p.size().width).max(widest(heads.iter().flatten()).min(HEAD_LIMIT));
    let head_lines = heads.iter().map(Vec::len).max().unwrap_or(0).max(1) as u64;
    let tile_height = side(|p| p.size().height);
    let row_height = tile_height.max(3 * LINE);
    let captions: Vec<_> = cases.iter().map(|c| lines(c.truth, c.predicted, c.probability)).collect();
    let gutter = widest(captions.iter().flatten()).min(CAPTION_LIMIT);
    let (head, title_width) = title_size(options.title.as_deref());
    let (left, top) = (MARGIN + gutter + BREAK, MARGIN + head + 22 + (head_lines - 1) * LINE);
    let maps = (columns.len() as u64).saturating_mul(tile_width.saturating_add(GAP));
    let width = (left + tile_width + BREAK - GAP).saturating_add(maps).max(MARGIN + title_width);
    let width = width.saturating_add(MARGIN);
    let height = (cases.len() as u64)
        .saturating_mul(row_height.saturating_add(GAP))
        .saturating_add(top + MARGIN - GAP + options.color_bar.height());
    let mut sheet = Sheet::new(FIGURE, width, height)?;
    title(&mut sheet, options.title.as_deref(), width);
    let x_of = |column: u64| left + tile_width + BREAK + column * (tile_width + GAP);
    for (x, lines) in [left].into_iter().chain((0u64..).map(x_of)).zip(&heads) {
        for (above, (words, _)) in (0u64..).zip(lines.iter().rev()) {
            let words = text::elide(words, HEADING, tile_width as f32);
            let y = (top - above * LINE) as f32 - 8.0;
            sheet.text(&words, HEADING, Anchor::Middle, (x + tile_width / 2) as f32, y);
        }
    }
    for ((i, case), caption) in (0u64..).zip(cases).zip(&captions) {
        let y = top + i * (row_height + GAP);
        let middle = y + row_height / 2;
        for (line, (words, style)) in (0u64..).zip(caption) {
            let words = text::elide(words, *style, gutter as f32);
            let centre = (middle + line * LINE) as f32 - LINE as f32;
            sheet.text_centred(&words, *style, Anchor::Start, MARGIN as f32, centre);
        }
        let image = enlarge(case.image, zoom)?;
        let corner = |x: u64| {
            (x + (tile_width - u64::from(image.width())) / 2, middle - u64::from(image.height()) / 2)
        };
        let (x, y) = corner(left);
        sheet.framed(&image, x, y);
        for (column, map) in (0u64..).zip(case.maps) {
            let (x, y) = corner(x_of(column));
            let place = sheet.framed(&overlay(Photo::of(&image)?, *map, &options.overlay)?, x, y);
            if let Range::Flat(_) = min_max(map.values()).range {
                flat(&mut sheet, place);
            }
        }
    }
    if options.color_bar == ColorBar::Shown {
        color_bar::draw(&mut sheet, options.overlay.colormap);
    }
    Ok(sheet.into_image())
}

/// Says across the foot of a picture that its map is flat.
fn flat(sheet: &mut Sheet, place: Rect) {
    let style = Style::regular(12.0, INK);
    let strip = Rect {
        y: (place.y + place.height).saturating_sub(18).max(place.y),
        height: 18.min(place.height),
        ..place
    };
    sheet.fill(strip, GRID);
    let words = text::elide("flat map", style, place.width as f32);
    let (x, y) = (place.x + place.width / 2, strip.y + strip.height / 2);
    sheet.text_centred(&words, style, Anchor::Middle, x as f32, y as f32);
}
