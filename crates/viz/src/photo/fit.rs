use super::{Photo, Size, view::area};
use crate::VizError;
use image::{
    RgbImage,
    imageops::{FilterType, crop_imm, resize},
};
use std::fmt;

/// What was done to a photo to bring it to a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It had the size.
    Unchanged,
    /// It had the shape, and was resized.
    Resized {
        /// The photo's size.
        from: Size,
        /// The size asked for.
        to: Size,
    },
    /// Its middle, of the shape asked for, was cut out, and resized where it had not yet the size.
    Cropped {
        /// The photo's size.
        from: Size,
        /// The size of what was kept.
        kept: Size,
        /// The size asked for.
        to: Size,
    },
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged => write!(f, "used as it is"),
            Self::Resized { from, to } => write!(f, "resized from {from} to {to} pixels"),
            Self::Cropped { from, kept, to } if kept == to => {
                write!(f, "cropped from {from} to its middle {to} pixels")
            }
            Self::Cropped { from, kept, to } => {
                write!(f, "cropped from {from} to its middle {kept}, then resized to {to} pixels")
            }
        }
    }
}

/// Brings a photo of any size to `to`, and says how: the largest part of its middle with `to`'s proportions, resized with a
/// triangle filter (bilinear; when shrinking, as wide as the pixels it merges, so that nothing flickers).
///
/// # Errors
/// [`VizError::OutOfRange`] if the photo or `to` has no pixel or `to` is over 100 million pixels.
pub fn fit(photo: &RgbImage, to: Size) -> Result<(RgbImage, Fit), VizError> {
    let from = Photo::of(photo)?.size();
    if area("fitted photo", to.height, to.width)? as u64 > crate::sheet::PIXEL_LIMIT {
        return Err(VizError::OutOfRange {
            what: "size of a fitted photo".to_owned(),
            expected: format!("at most {} pixels", crate::sheet::PIXEL_LIMIT),
            got: to.to_string(),
        });
    }
    if from == to {
        return Ok((photo.clone(), Fit::Unchanged));
    }
    let kept = middle(from, to);
    let (x, y) = ((from.width - kept.width) / 2, (from.height - kept.height) / 2);
    let part = crop_imm(photo, x as u32, y as u32, kept.width as u32, kept.height as u32).to_image();
    let part = match kept == to {
        true => part,
        false => resize(&part, to.width as u32, to.height as u32, FilterType::Triangle),
    };
    Ok((part, if kept == from { Fit::Resized { from, to } } else { Fit::Cropped { from, kept, to } }))
}

/// The size of the largest part of `from` with the proportions of `to`, rounded to whole pixels.
fn middle(from: Size, to: Size) -> Size {
    let scaled = |side: usize, by: usize, over: usize| {
        let (side, by, over) = (side as u128, by as u128, over as u128);
        (((2 * side * by + over) / (2 * over)) as usize).max(1)
    };
    Size {
        height: from.height.min(scaled(from.width, to.height, to.width)),
        width: from.width.min(scaled(from.height, to.width, to.height)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn size(width: usize, height: usize) -> Size {
        Size { height, width }
    }

    #[test]
    fn says_what_it_did() {
        let of = |w, h| fit(&RgbImage::new(w, h), size(32, 32)).unwrap();
        assert_eq!(of(32, 32).1, Fit::Unchanged);
        assert_eq!(of(64, 64).1.to_string(), "resized from 64×64 to 32×32 pixels");
        assert_eq!(of(40, 32).1.to_string(), "cropped from 40×32 to its middle 32×32 pixels");
        let (image, done) = of(640, 480);
        assert_eq!(image.dimensions(), (32, 32));
        assert_eq!(
            done.to_string(),
            "cropped from 640×480 to its middle 480×480, then resized to 32×32 pixels"
        );
        assert_eq!(of(1, 5000).1, Fit::Cropped { from: size(1, 5000), kept: size(1, 1), to: size(32, 32) });
    }

    /// Halving with a triangle filter of radius 2 around the new centre gives the old pixels at distances ½ and 3/2 the weights
    /// 3/8 and 1/8 (renormalised at the edges): [0, 0, 240, 240] → (3·0 + 3·0 + 1·240)/7 and its mirror.
    #[test]
    fn shrinking_averages() {
        let wide = RgbImage::from_fn(4, 2, |x, _| if x < 2 { Rgb([0; 3]) } else { Rgb([240; 3]) });
        let (small, _) = fit(&wide, size(2, 1)).unwrap();
        assert_eq!(small.dimensions(), (2, 1));
        assert!(small.get_pixel(0, 0).0[0].abs_diff(34) <= 1, "{small:?}"); // 240/7 = 34.3
        assert!(small.get_pixel(1, 0).0[0].abs_diff(206) <= 1, "{small:?}");
    }

    #[test]
    fn the_middle_is_kept() {
        let wide = RgbImage::from_fn(8, 4, |x, _| Rgb([x as u8; 3]));
        let (middle, _) = fit(&wide, size(4, 4)).unwrap();
        assert_eq!((0..4).map(|x| middle.get_pixel(x, 0).0[0]).collect::<Vec<_>>(), [2, 3, 4, 5]);
    }

    #[test]
    fn nothing_from_nothing() {
        assert!(fit(&RgbImage::new(0, 3), size(2, 2)).is_err());
        assert!(fit(&RgbImage::new(3, 3), size(0, 2)).is_err());
        assert!(fit(&RgbImage::new(3, 3), size(1 << 20, 1 << 20)).is_err());
    }
}
