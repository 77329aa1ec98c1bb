use super::{
    caption::{PLAIN, RIGHT, SMALL},
    gallery::{GalleryOptions, Tile, draw, numbered},
};
use crate::{Photo, RgbImage, VizError, format};

/// An image that the network got right, but nearly took for something else.
#[derive(Clone, Copy, Debug)]
pub struct CloseCall<'a> {
    /// The image.
    pub image: Photo<'a>,
    /// Its number in the data set, if it has one.
    pub index: Option<usize>,
    /// The predicted class, which is the true one.
    pub first: &'a str,
    /// The class that comes next.
    pub second: &'a str,
    /// The probabilities of the two, fractions.
    pub probabilities: [f64; 2],
}

/// Images in rows, enlarged without smearing, with the class that was (rightly) predicted and the one that came next, the
/// probability of each, and the margin between them. [`Order`](crate::Order) goes by that margin. Without any, a picture that
/// says so. Hundreds are drawn smaller, see [`GalleryOptions`].
///
/// # Errors
/// [`VizError::OutOfRange`] if `columns` or `zoom` is 0, [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn unsure(calls: &[CloseCall<'_>], options: &GalleryOptions) -> Result<RgbImage, VizError> {
    let tiles = calls.iter().map(|call| {
        let [first, second] = call.probabilities;
        let margin = format::fixed(100.0 * (first - second), 1);
        Tile {
            image: call.image,
            confidence: first - second,
            caption: [
                (format!("{} {}", format::percent(first), call.first), RIGHT),
                (format!("{} {}", format::percent(second), call.second), PLAIN),
                (numbered(call.index, &format!("margin {margin} points")), SMALL),
            ],
            brief: [
                (numbered(call.index, &format!("+{margin}")), SMALL),
                (call.first.to_owned(), RIGHT),
                (format!("then {}", call.second), PLAIN),
            ],
        }
    });
    draw("gallery of unsure predictions", tiles.collect(), options)
}
