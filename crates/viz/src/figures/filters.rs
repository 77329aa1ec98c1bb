use super::caption::{MARGIN, SMALL, nothing, some_columns, title, title_size};
use crate::{
    Photo, RgbImage, VizError, enlarge,
    error::same_length,
    sheet::Sheet,
    text::{self, Anchor},
};

const FIGURE: &str = "first-layer filters";
const GAP: u64 = 8;
/// What is brought near this many pixels, where no zoom is given.
const TILE: f64 = 54.0;

/// In which order the weights of a convolution lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterLayout {
    /// (filter, channel, row, column), as PyTorch's.
    Oihw,
    /// (row, column, channel, filter).
    Hwio,
}

/// The filters of a convolution that reads red, green and blue.
#[derive(Clone, Copy, Debug)]
pub struct Filters<'a> {
    /// `count · 3 · height · width` weights.
    pub weights: &'a [f32],
    /// How many filters.
    pub count: usize,
    /// Rows of each.
    pub height: usize,
    /// Columns of each.
    pub width: usize,
    /// The order of the weights.
    pub layout: FilterLayout,
}

/// What a filter's weights are measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FilterScale {
    /// Each filter's greatest weight: all patterns are seen.
    #[default]
    Each,
    /// The greatest weight of all: weak filters are grey.
    Shared,
}

/// How [`filters`] draws.
#[derive(Clone, Debug, Default)]
pub struct FiltersOptions {
    /// Above the filters, if any.
    pub title: Option<String>,
    /// Filters in a row; `None` makes the sheet about twice as wide as high.
    pub columns: Option<usize>,
    /// How many pixels wide and high each weight becomes; `None` brings the filters near 54 pixels.
    pub zoom: Option<u32>,
    /// What weights are measured against.
    pub scale: FilterScale,
}

/// Each filter as a small picture: a weight w of red, green or blue becomes the byte round(127.5·(1 + w/m)), with m the greatest |w| of the
/// filter or of all ([`FilterScale`]). So 0 is middle grey, and a pattern and its negative are each other's complements.
///
/// # Errors
/// [`VizError::Length`] if there are not `count · 3 · height · width` weights, [`VizError::NotFinite`] if one is NaN or infinite,
/// [`VizError::OutOfRange`] if `columns`, `zoom` or a side is 0, [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn filters(data: &Filters<'_>, options: &FiltersOptions) -> Result<RgbImage, VizError> {
    let size = data.height.saturating_mul(data.width).saturating_mul(3);
    same_length(
        FIGURE,
        "weights, count · 3 · height · width",
        data.count.saturating_mul(size),
        data.weights.len(),
    )?;
    if let Some((index, &value)) = data.weights.iter().enumerate().find(|(_, w)| !w.is_finite()) {
        return Err(VizError::NotFinite { what: FIGURE.to_owned(), index, value });
    }
    if data.count == 0 {
        return nothing(FIGURE, options.title.as_deref(), "no filter");
    }
    if data.weights.is_empty() {
        return Err(VizError::OutOfRange {
            what: format!("sides of a filter in {FIGURE}"),
            expected: "at least 1".to_owned(),
            got: format!("{}×{}", data.height, data.width),
        });
    }
    let columns = some_columns(FIGURE, options.columns.unwrap_or_else(|| even_rows(data.count)))?;
    let near = || (TILE / data.height.max(data.width).max(1) as f64).round().clamp(1.0, 32.0) as u32;
    let zoom = options.zoom.unwrap_or_else(near);
    let pictures: Vec<RgbImage> = bytes(data, options.scale)
        .iter()
        .map(|bytes| enlarge(Photo::new(bytes, data.height, data.width)?, zoom))
        .collect::<Result<_, _>>()?;
    let side = |sides: fn(&RgbImage) -> u32| pictures.first().map_or(0, |p| u64::from(sides(p)));
    let (tile_width, tile_height) = (side(RgbImage::width), side(RgbImage::height));
    let columns = columns.min(data.count as u64);
    let rows = (data.count as u64).div_ceil(columns);
    let (head, title_width) = title_size(options.title.as_deref());
    let along = |n: u64, tile: u64| n.saturating_mul(tile + GAP).saturating_sub(GAP);
    let note = match options.scale {
        FilterScale::Each => "Grey: 0. Each filter has a scale of its own.",
        FilterScale::Shared => "Grey: 0. All filters have one scale.",
    };
    let width = along(columns, tile_width).max(title_width).max(text::width(note, SMALL).ceil() as u64);
    let width = width.saturating_add(2 * MARGIN);
    let height = along(rows, tile_height).saturating_add(2 * MARGIN + head + 24);
    let mut sheet = Sheet::new(FIGURE, width, height)?;
    title(&mut sheet, options.title.as_deref(), width);
    for (i, picture) in (0u64..).zip(&pictures) {
        let x = MARGIN + i % columns * (tile_width + GAP);
        let y = MARGIN + head + i / columns * (tile_height + GAP);
        sheet.framed(picture, x, y);
    }
    sheet.text(note, SMALL, Anchor::Start, MARGIN as f32, (height - MARGIN) as f32);
    Ok(sheet.into_image())
}

/// How many columns make a sheet about twice as wide as high: if possible, so many that the last row is full too.
fn even_rows(count: usize) -> usize {
    let wide = (2.0 * count as f64).sqrt();
    let full = (1..=count).filter(|n| count.is_multiple_of(*n));
    let near = full.filter(|&n| (0.6..=1.7).contains(&(n as f64 / wide)));
    near.max().unwrap_or(wide.ceil().max(1.0) as usize)
}

/// Each filter's bytes, (height, width, 3).
fn bytes(data: &Filters<'_>, scale: FilterScale) -> Vec<Vec<u8>> {
    let Filters { weights, count, height, width, layout } = *data;
    let at = |o: usize, y: usize, x: usize, c: usize| match layout {
        FilterLayout::Oihw => weights[((o * 3 + c) * height + y) * width + x],
        FilterLayout::Hwio => weights[((y * width + x) * 3 + c) * count + o],
    };
    let greatest = |weights: &[f32]| weights.iter().fold(0f32, |m, w| m.max(w.abs()));
    let shared = greatest(weights);
    let filter = |o: usize| {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
        let values: Vec<f32> = places.flat_map(|(y, x)| [0, 1, 2].map(|c| at(o, y, x, c))).collect();
        let m = match scale {
            FilterScale::Each => greatest(&values),
            FilterScale::Shared => shared,
        };
        // A filter of zeros is grey.
        let m = if m == 0.0 { 1.0 } else { m };
        values.iter().map(|w| (127.5 * (1.0 + w / m)).round() as u8).collect()
    };
    (0..count).map(filter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: [f32; 12] = [-2.0, 0.0, 1.0, 0.5, 2.0, -1.0, 0.25, 0.0, 0.0, -0.25, 0.0, 0.125];

    /// Two filters of 1×2: the first reads red −2, 0, green 1, 0.5, blue 2, −1.
    #[test]
    fn bytes_by_hand() {
        let data = Filters { weights: &WEIGHTS, count: 2, height: 1, width: 2, layout: FilterLayout::Oihw };
        let first = [0, 191, 255, 128, 159, 64]; // 127.5·(1 + ½) = 191.25, ·(1 + ¼) = 159.4, ·(1 − ½) = 63.75
        assert_eq!(bytes(&data, FilterScale::Each), [first, [255, 128, 128, 128, 0, 191]]);
        // Against 2: 127.5·(1 + ⅛) = 143.4, ·(1 − ⅛) = 111.6, ·(1 + 1/16) = 135.5.
        assert_eq!(bytes(&data, FilterScale::Shared), [first, [143, 128, 128, 128, 112, 135]]);
    }

    #[test]
    fn both_layouts_are_the_same_filters() {
        let mut hwio = [0.0; 12];
        for (o, c, x) in (0..2).flat_map(|o| (0..3).flat_map(move |c| (0..2).map(move |x| (o, c, x)))) {
            hwio[(x * 3 + c) * 2 + o] = WEIGHTS[(o * 3 + c) * 2 + x];
        }
        let of = |weights, layout| Filters { weights, count: 2, height: 1, width: 2, layout };
        let (a, b) = (of(&WEIGHTS, FilterLayout::Oihw), of(&hwio, FilterLayout::Hwio));
        assert_eq!(bytes(&a, FilterScale::Each), bytes(&b, FilterScale::Each));
        assert_eq!(
            filters(&a, &FiltersOptions::default()).unwrap(),
            filters(&b, &FiltersOptions::default()).unwrap()
        );
    }

    #[test]
    fn rows_are_full_where_that_is_possible() {
        assert_eq!([0, 1, 24, 32, 48, 64].map(even_rows), [1, 1, 8, 8, 16, 16]);
        assert_eq!(even_rows(37), 9); // 37 is prime: √74, rounded up
    }

    #[test]
    fn zeros_are_grey() {
        let data = Filters { weights: &[0.0; 3], count: 1, height: 1, width: 1, layout: FilterLayout::Oihw };
        for scale in [FilterScale::Each, FilterScale::Shared] {
            assert_eq!(bytes(&data, scale), [[128; 3]]);
        }
    }

    #[test]
    fn misfits_are_errors() {
        let of = |weights, count| Filters { weights, count, height: 1, width: 1, layout: FilterLayout::Hwio };
        let draw = |data, options| filters(&data, &options);
        let short = draw(of(&WEIGHTS, 3), FiltersOptions::default());
        assert!(matches!(short, Err(VizError::Length { expected: 9, got: 12, .. })));
        let nan = draw(of(&[0.0, f32::NAN, 1.0], 1), FiltersOptions::default());
        assert!(matches!(nan, Err(VizError::NotFinite { index: 1, .. })));
        let none = FiltersOptions { columns: Some(0), ..Default::default() };
        assert!(matches!(draw(of(&WEIGHTS, 4), none), Err(VizError::OutOfRange { .. })));
        let none = FiltersOptions { zoom: Some(0), ..Default::default() };
        assert!(matches!(draw(of(&WEIGHTS, 4), none), Err(VizError::OutOfRange { .. })));
        assert!(draw(of(&[], 0), FiltersOptions::default()).is_ok());
    }
}
