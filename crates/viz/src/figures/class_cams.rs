use super::caption::{
    HEADING, LINE, MARGIN, PLAIN, RIGHT, SMALL, nothing, some_columns, title, title_size, widest, zoom,
};
use super::color_bar::{self, ColorBar};
use crate::{
    HeatMap, OverlayOptions, Photo, Range, RgbImage, VizError, enlarge, format, min_max, overlay,
    sheet::Sheet,
    text::{self, Anchor},
};

const FIGURE: &str = "grid of class averages";
/// Between a mean image and the map over it.
const GAP: u64 = 6;
/// Between classes.
const BREAK: u64 = 24;

/// What the network looked at in the images of one class, on average.
#[derive(Clone, Copy, Debug)]
pub struct ClassCam<'a> {
    /// The class's name.
    pub name: &'a str,
    /// The mean of the images.
    pub mean_image: Photo<'a>,
    /// The mean of their maps, of any size; it is resized and scaled to 0..=1 here.
    pub map: HeatMap<'a>,
    /// How many images that is the mean of.
    pub images: usize,
}

/// How [`class_cams`] draws.
#[derive(Clone, Debug)]
pub struct ClassCamsOptions {
    /// Above the classes, if any.
    pub title: Option<String>,
    /// How many pixels wide and high each pixel becomes; `None` brings the images near 96 pixels.
    pub zoom: Option<u32>,
    /// Classes beside each other.
    pub columns: usize,
    /// Colours and share of the map.
    pub overlay: OverlayOptions,
    /// Whether the colours are explained.
    pub color_bar: ColorBar,
    /// What the picture says if there is no class.
    pub none: String,
}

impl Default for ClassCamsOptions {
    fn default() -> Self {
        Self {
            title: None,
            zoom: None,
            columns: 5,
            overlay: OverlayOptions::default(),
            color_bar: ColorBar::Shown,
            none: "no class to explain".to_owned(),
        }
    }
}

/// For each class the mean of its images, enlarged without smearing, and beside it the mean of their maps over it, with the class's
/// name and the number of images below. Each map is scaled by itself; one whose values are all equal leaves the image
/// as it is and is said to be flat. Without a class, a picture that says so.
///
/// # Errors
/// [`VizError::OutOfRange`] if `zoom` or `columns` is 0 or `overlay.alpha` not within 0..=1,
/// [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn class_cams(classes: &[ClassCam<'_>], options: &ClassCamsOptions) -> Result<RgbImage, VizError> {
    let columns = some_columns(FIGURE, options.columns)?.min(classes.len().max(1) as u64);
    let zoom = match options.zoom {
        None => (3 * zoom(None, classes.iter().map(|c| c.mean_image))? / 4).max(1),
        given => zoom(given, classes.iter().map(|c| c.mean_image))?,
    };
    if classes.is_empty() {
        return nothing(FIGURE, options.title.as_deref(), &options.none);
    }
    let side = |of: fn(Photo<'_>) -> usize| {
        classes.iter().map(|c| (of(c.mean_image) as u64).saturating_mul(u64::from(zoom))).max().unwrap_or(0)
    };
    let heads = ["mean image", "mean map"].map(|head| (head.to_owned(), HEADING));
    let tile_width = side(|p| p.size().width).max(widest(heads.iter()));
    let tile_height = side(|p| p.size().height);
    let cell = tile_width.saturating_mul(2).saturating_add(GAP);
    let pitch = tile_height.saturating_add(2 * LINE + 24);
    let (head, title_width) = title_size(options.title.as_deref());
    let top = MARGIN + head + 22;
    let rows = (classes.len() as u64).div_ceil(columns);
    let along = columns.saturating_mul(cell.saturating_add(BREAK)).saturating_sub(BREAK);
    let width = along.max(title_width).saturating_add(2 * MARGIN);
    let foot = options.color_bar.height();
    let height = rows.saturating_mul(pitch).saturating_add(top + foot + MARGIN - 16);
    let mut sheet = Sheet::new(FIGURE, width, height)?;
    title(&mut sheet, options.title.as_deref(), width);
    let x_of = |column: u64, tile: u64| MARGIN + column * (cell + BREAK) + tile * (tile_width + GAP);
    for column in 0..columns {
        for (tile, (head, style)) in (0u64..).zip(&heads) {
            let middle = (x_of(column, tile) + tile_width / 2) as f32;
            sheet.text(head, *style, Anchor::Middle, middle, top as f32 - 8.0);
        }
    }
    for (i, class) in (0u64..).zip(classes) {
        let (column, y) = (i % columns, top + i / columns * pitch);
        let image = enlarge(class.mean_image, zoom)?;
        let over = overlay(Photo::of(&image)?, class.map, &options.overlay)?;
        for (tile, picture) in (0u64..).zip([&image, &over]) {
            let left = (tile_width - u64::from(picture.width())) / 2;
            sheet.framed(picture, x_of(column, tile) + left, y + tile_height - u64::from(picture.height()));
        }
        let x = x_of(column, 0) as f32;
        let name = text::elide(class.name, RIGHT, cell as f32);
        sheet.text(&name, RIGHT, Anchor::Start, x, (y + tile_height + LINE) as f32);
        let flat = matches!(min_max(class.map.values()).range, Range::Flat(_));
        let (count, style) = match (class.images, flat) {
            (1, false) => ("1 image".to_owned(), SMALL),
            (n, false) => (format!("{} images", format::count(n as u64)), SMALL),
            (n, true) => (format!("{} images, flat map", format::count(n as u64)), PLAIN),
        };
        let count = text::elide(&count, style, cell as f32);
        sheet.text(&count, style, Anchor::Start, x, (y + tile_height + 2 * LINE - 2) as f32);
    }
    if options.color_bar == ColorBar::Shown {
        color_bar::draw(&mut sheet, options.overlay.colormap);
    }
    Ok(sheet.into_image())
}
