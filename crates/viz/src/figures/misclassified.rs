use super::caption::{LINE, TITLE, lines, nothing, widest, zoom};
use crate::{
    Photo, RgbImage, VizError,
    colour::palette::FRAME,
    enlarge,
    sheet::{Rect, Sheet},
    text::{self, Anchor},
};

const FIGURE: &str = "misclassified gallery";
const MARGIN: u64 = 24;
const GAP: u64 = 20;
/// The most that a long class name may widen a column.
const CAPTION_LIMIT: u64 = 220;

/// An image that the network got wrong (or any other prediction).
#[derive(Clone, Copy, Debug)]
pub struct Mistake<'a> {
    /// The image.
    pub image: Photo<'a>,
    /// The true class's name.
    pub truth: &'a str,
    /// The predicted class's name.
    pub predicted: &'a str,
    /// The probability given to the prediction, a fraction.
    pub probability: f64,
}

/// The order of a gallery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As given.
    #[default]
    AsGiven,
    /// The surest first; what has no probability last.
    MostConfident,
    /// The least sure first; what has no probability last.
    LeastConfident,
}

/// How [`misclassified`] draws.
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

impl Default for GalleryOptions {
    fn default() -> Self {
        Self {
            title: None,
            columns: 5,
            zoom: None,
            order: Order::AsGiven,
            none: "nothing misclassified".to_owned(),
        }
    }
}

/// Images in rows, enlarged without smearing, with true class, predicted class and probability under each. Without any, a
/// picture that says so.
///
/// # Errors
/// [`VizError::OutOfRange`] if `columns` or `zoom` is 0, [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn misclassified(mistakes: &[Mistake<'_>], options: &GalleryOptions) -> Result<RgbImage, VizError> {
    if options.columns == 0 {
        return Err(VizError::OutOfRange {
            what: "columns of a gallery".to_owned(),
            expected: "at least 1".to_owned(),
            got: "0".to_owned(),
        });
    }
    let zoom = zoom(options.zoom, mistakes.iter().map(|m| m.image))?;
    if mistakes.is_empty() {
        return nothing(FIGURE, options.title.as_deref(), &options.none);
    }
    let order = sorted(mistakes, options.order);
    let captions: Vec<_> = mistakes.iter().map(|m| lines(m.truth, m.predicted, m.probability)).collect();
    let side = |of: fn(Photo<'_>) -> usize| {
        mistakes.iter().map(|m| (of(m.image) as u64).saturating_mul(u64::from(zoom))).max().unwrap_or(0)
    };
    let (tile_width, tile_height) = (side(|p| p.size().width), side(|p| p.size().height));
    let cell_width = tile_width.max(widest(captions.iter().flatten()).min(CAPTION_LIMIT));
    let cell_height = tile_height.saturating_add(8 + 3 * LINE);
    let columns = options.columns.min(mistakes.len()) as u64;
    let rows = (mistakes.len() as u64).div_ceil(columns);
    let head = if options.title.is_some() { 40 } else { 0 };
    let along = |n: u64, cell: u64| n.saturating_mul(cell.saturating_add(GAP)).saturating_sub(GAP);
    let title_width = options.title.as_ref().map_or(0, |t| text::width(t, TITLE).ceil() as u64).min(900);
    let width = along(columns, cell_width).max(title_width);
    let height = along(rows, cell_height).saturating_add(2 * MARGIN + head);
    let mut sheet = Sheet::new(FIGURE, width.saturating_add(2 * MARGIN), height)?;
    if let Some(title) = &options.title {
        let title = text::elide(title, TITLE, width as f32);
        sheet.text(&title, TITLE, Anchor::Start, MARGIN as f32, MARGIN as f32 + 16.0);
    }
    for (place, &i) in (0u64..).zip(&order) {
        let x = MARGIN + place % columns * (cell_width + GAP);
        let y = MARGIN + head + place / columns * (cell_height + GAP);
        let image = enlarge(mistakes[i].image, zoom)?;
        let (w, h) = (u64::from(image.width()), u64::from(image.height()));
        let (left, top) = (x, y + tile_height - h);
        sheet.paste(&image, left, top);
        sheet.frame(Rect { x: left, y: top, width: w, height: h }, FRAME);
        for (line, (text, style)) in (1u64..).zip(&captions[i]) {
            let text = text::elide(text, *style, cell_width as f32);
            sheet.text(&text, *style, Anchor::Start, x as f32, (y + tile_height + 2 + line * LINE) as f32);
        }
    }
    Ok(sheet.into_image())
}

fn sorted(mistakes: &[Mistake<'_>], order: Order) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..mistakes.len()).collect();
    let missing = |i: usize| mistakes[i].probability.is_nan();
    let by_probability = |a: usize, b: usize| mistakes[a].probability.total_cmp(&mistakes[b].probability);
    match order {
        Order::AsGiven => {}
        Order::MostConfident => {
            indices.sort_by(|&a, &b| missing(a).cmp(&missing(b)).then(by_probability(b, a)));
        }
        Order::LeastConfident => {
            indices.sort_by(|&a, &b| missing(a).cmp(&missing(b)).then(by_probability(a, b)));
        }
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        let image = Photo::new(&[0; 3], 1, 1).unwrap();
        let of = |probability| Mistake { image, truth: "cat", predicted: "dog", probability };
        let mistakes = [of(0.4), of(f64::NAN), of(0.9), of(0.6)];
        assert_eq!(sorted(&mistakes, Order::AsGiven), [0, 1, 2, 3]);
        assert_eq!(sorted(&mistakes, Order::MostConfident), [2, 3, 0, 1]);
        assert_eq!(sorted(&mistakes, Order::LeastConfident), [0, 3, 2, 1]);
    }
}
