use super::{
    caption::{PLAIN, SMALL, WRONG, lines},
    gallery::{GalleryOptions, Tile, draw, numbered},
};
use crate::{Photo, RgbImage, VizError, format};

/// An image that the network got wrong (or any other prediction).
#[derive(Clone, Copy, Debug)]
pub struct Mistake<'a> {
    /// The image.
    pub image: Photo<'a>,
    /// Its number in the data set, if it has one.
    pub index: Option<usize>,
    /// The true class's name.
    pub truth: &'a str,
    /// The predicted class's name.
    pub predicted: &'a str,
    /// The probability given to the prediction, a fraction.
    pub probability: f64,
}

/// Images in rows, enlarged without smearing, with true class, predicted class and probability under each. Without any, a
/// picture that says so. Hundreds are drawn smaller, see [`GalleryOptions`].
///
/// # Errors
/// [`VizError::OutOfRange`] if `columns` or `zoom` is 0, [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn misclassified(mistakes: &[Mistake<'_>], options: &GalleryOptions) -> Result<RgbImage, VizError> {
    let tiles = mistakes.iter().map(|m| Tile {
        image: m.image,
        confidence: m.probability,
        caption: lines(m.index, m.truth, m.predicted, m.probability),
        brief: [
            (numbered(m.index, &format::percent(m.probability)), SMALL),
            (m.truth.to_owned(), PLAIN),
            (format!("→ {}", m.predicted), WRONG),
        ],
    });
    draw("misclassified gallery", tiles.collect(), options)
}
