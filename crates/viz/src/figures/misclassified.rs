use super::{
    caption::lines,
    gallery::{GalleryOptions, Tile, draw},
};
use crate::{Photo, RgbImage, VizError};

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

/// Images in rows, enlarged without smearing, with true class, predicted class and probability under each. Without any, a
/// picture that says so.
///
/// # Errors
/// [`VizError::OutOfRange`] if `columns` or `zoom` is 0, [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn misclassified(mistakes: &[Mistake<'_>], options: &GalleryOptions) -> Result<RgbImage, VizError> {
    let tiles = mistakes.iter().map(|m| Tile {
        image: m.image,
        confidence: m.probability,
        caption: lines(m.truth, m.predicted, m.probability),
    });
    draw("misclassified gallery", tiles.collect(), options)
}
