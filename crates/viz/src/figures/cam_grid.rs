use super::caption::{HEADING, LINE, MARGIN, RIGHT, TITLE, lines, nothing, widest, zoom};
use super::color_bar::{self, ColorBar};
use crate::{
    HeatMap, OverlayOptions, Photo, Range, RgbImage, VizError,
    colour::palette::{FRAME, MUTED},
    enlarge, heatmap, min_max, overlay,
    sheet::{Rect, Sheet},
    text::{self, Anchor, Style},
};

const FIGURE: &str = "class activation grid";
/// Between the three pictures of a case.
const GAP: u64 = 6;
/// Between cases.
const BREAK: u64 = 32;
/// Between the parts of a caption on one line.
const PARTS: u64 = 18;

/// An image with a map of what the network looked at.
#[derive(Clone, Copy, Debug)]
pub struct CamCase<'a> {
    /// The image.
    pub image: Photo<'a>,
    /// Its number in the data set, if it has one.
    pub index: Option<usize>,
    /// The map, of any size; it is resized and scaled to 0..=1 here.
    pub map: HeatMap<'a>,
    /// The true class's name; empty where it is not known.
    pub truth: &'a str,
    /// The predicted class's name.
    pub predicted: &'a str,
    /// The probability given to the prediction, a fraction.
    pub probability: f64,
}

/// How [`cam_grid`] draws.
#[derive(Clone, Debug)]
pub struct CamGridOptions {
    /// Above the images, if any.
    pub title: Option<String>,
    /// How many pixels wide and high each pixel becomes; `None` brings the images near 128 pixels.
    pub zoom: Option<u32>,
    /// Cases beside each other; `None` takes one for up to 4 cases, two up to 24, and three beyond.
    pub columns: Option<usize>,
    /// What the maps of each column are of, said above it; then there are as many columns. Unless empty, the cases are those of an
    /// image after those of another.
    pub heads: Vec<String>,
    /// Colours and share of the map.
    pub overlay: OverlayOptions,
    /// Whether the colours are explained.
    pub color_bar: ColorBar,
    /// What the picture says if there is no case.
    pub none: String,
}

impl Default for CamGridOptions {
    fn default() -> Self {
        Self {
            title: None,
            zoom: None,
            columns: None,
            heads: Vec::new(),
            overlay: OverlayOptions::default(),
            color_bar: ColorBar::Shown,
            none: "no image to explain".to_owned(),
        }
    }
}

/// For each case the image, enlarged without smearing, its map, resized bilinearly to the enlarged size, and the map over the
/// image, with true class, predicted class and probability below. A map whose values are all equal is drawn grey and said to
/// be flat, or why ([`HeatMap::flat_since`]), and leaves the image as it is. Without a case, a picture that says so.
///
/// # Errors
/// [`VizError::OutOfRange`] if `zoom` or `columns` is 0 or `overlay.alpha` not within 0..=1,
/// [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn cam_grid(cases: &[CamCase<'_>], options: &CamGridOptions) -> Result<RgbImage, VizError> {
    let layout = Layout::of(cases, options)?;
    if cases.is_empty() {
        return nothing(FIGURE, options.title.as_deref(), &options.none);
    }
    let mut sheet = Sheet::new(FIGURE, layout.width, layout.height)?;
    if let Some(title) = &options.title {
        let title = text::elide(title, TITLE, (layout.width - 2 * MARGIN) as f32);
        sheet.text(&title, TITLE, Anchor::Start, MARGIN as f32, MARGIN as f32 + 16.0);
    }
    for column in 0..layout.columns {
        for (i, name) in (0u64..).zip(["image", "heat map", "overlay"]) {
            let x = layout.x(column) + i * (layout.tile_width + GAP) + layout.tile_width / 2;
            let name = text::elide(name, HEADING, (layout.tile_width + GAP) as f32);
            sheet.text(&name, HEADING, Anchor::Middle, x as f32, layout.top as f32 - 8.0);
        }
    }
    for (column, head) in (0..layout.columns).zip(&options.heads) {
        let head = text::elide(head, RIGHT, layout.cell as f32);
        let middle = (layout.x(column) + layout.cell / 2) as f32;
        sheet.text(&head, RIGHT, Anchor::Middle, middle, (layout.top - LINE) as f32 - 10.0);
    }
    for (i, case) in (0u64..).zip(cases) {
        let (x, y) = (layout.x(i % layout.columns), layout.top + i / layout.columns * layout.pitch());
        pictures(&mut sheet, case, &layout, options, (x, y))?;
        caption(&mut sheet, case, &layout, (x, y + layout.tile_height));
    }
    if options.color_bar == ColorBar::Shown {
        color_bar::draw(&mut sheet, options.overlay.colormap);
    }
    Ok(sheet.into_image())
}

struct Layout {
    zoom: u32,
    columns: u64,
    tile_width: u64,
    tile_height: u64,
    /// Width of a case.
    cell: u64,
    /// Lines of a caption: one, if all three parts fit beside each other.
    lines: u64,
    top: u64,
    width: u64,
    height: u64,
}

impl Layout {
    fn of(cases: &[CamCase<'_>], options: &CamGridOptions) -> Result<Self, VizError> {
        let zoom = zoom(options.zoom, cases.iter().map(|c| c.image))?;
        let columns = match options.columns {
            _ if !options.heads.is_empty() => options.heads.len(),
            Some(0) => {
                return Err(VizError::OutOfRange {
                    what: "columns of a class activation grid".to_owned(),
                    expected: "at least 1".to_owned(),
                    got: "0".to_owned(),
                });
            }
            Some(n) => n,
            None => 1 + usize::from(cases.len() > 4) + usize::from(cases.len() > 24),
        };
        let columns = columns.min(cases.len()).max(1) as u64;
        let side = |of: fn(Photo<'_>) -> usize| {
            cases.iter().map(|c| (of(c.image) as u64).saturating_mul(u64::from(zoom))).max().unwrap_or(0)
        };
        // Narrow pictures still have their names above them.
        let tile_width = side(|p| p.size().width).max(64);
        let tile_height = side(|p| p.size().height);
        let three = tile_width.saturating_mul(3).saturating_add(2 * GAP);
        let captions: Vec<_> = cases.iter().map(words).collect();
        let beside =
            captions.iter().map(|c| c.iter().map(|p| widest([p].into_iter()) + PARTS).sum::<u64>() - PARTS);
        let lines = if beside.max().unwrap_or(0) <= three { 1 } else { 3 };
        let head = if options.title.is_some() { 40 } else { 0 };
        let heads = if options.heads.is_empty() { 0 } else { LINE + 4 };
        let top = MARGIN + head + heads + 22;
        let title = options.title.as_ref().map_or(0, |t| text::width(t, TITLE).ceil() as u64).min(900);
        let along = columns.saturating_mul(three.saturating_add(BREAK)).saturating_sub(BREAK);
        let width = along.max(title).saturating_add(2 * MARGIN);
        let foot = options.color_bar.height();
        let mut layout =
            Self { zoom, columns, tile_width, tile_height, cell: three, lines, top, width, height: 0 };
        let rows = (cases.len() as u64).div_ceil(columns);
        layout.height = rows.saturating_mul(layout.pitch()).saturating_add(top + foot + MARGIN - 14);
        Ok(layout)
    }

    fn x(&self, column: u64) -> u64 {
        MARGIN + column * (self.cell + BREAK)
    }

    /// From one case to the one below.
    fn pitch(&self) -> u64 {
        self.tile_height.saturating_add(self.lines * LINE + 22)
    }
}

fn pictures(
    sheet: &mut Sheet,
    case: &CamCase<'_>,
    layout: &Layout,
    options: &CamGridOptions,
    (x, y): (u64, u64),
) -> Result<(), VizError> {
    let image = enlarge(case.image, layout.zoom)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    let heat = heatmap(case.map, height, width, options.overlay.colormap)?;
    let over = overlay(Photo::of(&image)?, case.map, &options.overlay)?;
    let (left, top) = ((layout.tile_width - width as u64) / 2, layout.tile_height - height as u64);
    for (i, picture) in (0u64..).zip([&image, &heat, &over]) {
        let (x, y) = (x + i * (layout.tile_width + GAP) + left, y + top);
        sheet.paste(picture, x, y);
        sheet.frame(Rect { x, y, width: width as u64, height: height as u64 }, FRAME);
    }
    if let Range::Flat(_) = min_max(case.map.values()).range {
        let style = Style::regular(13.0, MUTED);
        let middle = x + layout.tile_width + GAP + layout.tile_width / 2;
        let words = text::elide(case.map.flat(), style, layout.tile_width as f32);
        let centre = y as f32 + layout.tile_height as f32 / 2.0;
        sheet.text_centred(&words, style, Anchor::Middle, middle as f32, centre);
    }
    Ok(())
}

fn words(case: &CamCase<'_>) -> [(String, Style); 3] {
    lines(case.index, case.truth, case.predicted, case.probability)
}

fn caption(sheet: &mut Sheet, case: &CamCase<'_>, layout: &Layout, (x, y): (u64, u64)) {
    let parts = words(case);
    let mut left = x as f32;
    for (i, (words, style)) in (1u64..).zip(&parts) {
        let words = text::elide(words, *style, layout.cell as f32);
        if layout.lines == 1 {
            sheet.text(&words, *style, Anchor::Start, left, (y + LINE) as f32);
            left += text::width(&words, *style) + PARTS as f32;
        } else {
            sheet.text(&words, *style, Anchor::Start, x as f32, (y + i * LINE) as f32);
        }
    }
}
