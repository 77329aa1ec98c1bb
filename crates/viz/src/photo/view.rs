use crate::VizError;
use image::{Rgb, RgbImage};
use std::fmt;

/// Height and width in pixels; shown as people say it, width first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.width, self.height)
    }
}

/// A photo in someone else's memory: bytes in the order (height, width, 3), red first.
#[derive(Clone, Copy, Debug)]
pub struct Photo<'a> {
    rgb: &'a [u8],
    size: Size,
}

impl<'a> Photo<'a> {
    /// The photo of `height` × `width` pixels whose bytes are `rgb`, in the order (height, width, 3).
    ///
    /// # Errors
    /// [`VizError::OutOfRange`] if a side is 0, [`VizError::Length`] if `rgb` has not `height · width · 3` bytes.
    pub fn new(rgb: &'a [u8], height: usize, width: usize) -> Result<Self, VizError> {
        let expected = area("photo", height, width)?.saturating_mul(3);
        if rgb.len() != expected {
            return Err(VizError::Length {
                what: format!("bytes of a photo of {width}×{height} pixels, 3 each"),
                expected,
                got: rgb.len(),
            });
        }
        Ok(Self { rgb, size: Size { height, width } })
    }

    /// A view of `image`.
    ///
    /// # Errors
    /// [`VizError::OutOfRange`] if it has no pixel.
    pub fn of(image: &'a RgbImage) -> Result<Self, VizError> {
        Self::new(image.as_raw(), image.height() as usize, image.width() as usize)
    }

    /// Height and width.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The bytes, in the order (height, width, 3).
    pub fn rgb(&self) -> &'a [u8] {
        self.rgb
    }

    pub(crate) fn pixel(&self, x: usize, y: usize) -> Rgb<u8> {
        let i = 3 * (y * self.size.width + x);
        Rgb([self.rgb[i], self.rgb[i + 1], self.rgb[i + 2]])
    }
}

/// `height · width`, if neither is 0 nor beyond what a picture's 32-bit sides can hold.
pub(crate) fn area(what: &str, height: usize, width: usize) -> Result<usize, VizError> {
    let fits = |v: usize| v > 0 && u32::try_from(v).is_ok();
    match height.checked_mul(width) {
        Some(n) if fits(height) && fits(width) => Ok(n),
        _ => Err(VizError::OutOfRange {
            what: format!("size of a {what}"),
            expected: "at least 1×1 pixels, and sides below 2^32".to_owned(),
            got: Size { height, width }.to_string(),
        }),
    }
}

/// Bytes to look at from normalised values in the order (.., 3): 255·(value·std + mean), rounded and clamped: the inverse of
/// (byte/255 − mean)/std. NaN becomes 0.
///
/// # Errors
/// [`VizError::Length`] if the number of values is not a multiple of 3.
pub fn denormalize(values: &[f32], mean: [f32; 3], std: [f32; 3]) -> Result<Vec<u8>, VizError> {
    if !values.len().is_multiple_of(3) {
        return Err(VizError::Length {
            what: "values of an image, 3 for each pixel".to_owned(),
            expected: values.len().next_multiple_of(3),
            got: values.len(),
        });
    }
    let byte = |(i, v): (usize, &f32)| (255.0 * (v * std[i % 3] + mean[i % 3])).round() as u8; // saturates
    Ok(values.iter().enumerate().map(byte).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_size_are_checked() {
        assert!(Photo::new(&[0; 12], 2, 2).is_ok());
        let e = Photo::new(&[0; 11], 2, 2).unwrap_err();
        assert!(matches!(e, VizError::Length { expected: 12, got: 11, .. }));
        for (h, w) in [(0, 4), (4, 0), (usize::MAX, usize::MAX)] {
            assert!(matches!(Photo::new(&[], h, w), Err(VizError::OutOfRange { .. })));
        }
    }

    #[test]
    fn denormalize_inverts_normalize() {
        let (mean, std) = ([0.4914, 0.4822, 0.4465], [0.247, 0.243, 0.261]);
        let bytes: Vec<u8> = (0..=254).collect();
        let values: Vec<f32> = bytes
            .iter()
            .enumerate()
            .map(|(i, &b)| (f32::from(b) / 255.0 - mean[i % 3]) / std[i % 3])
            .collect();
        assert_eq!(denormalize(&values, mean, std).unwrap(), bytes);
        assert_eq!(denormalize(&[9.0, -9.0, f32::NAN], [0.0; 3], [1.0; 3]).unwrap(), [255, 0, 0]);
        assert!(denormalize(&values[1..], mean, std).is_err());
    }
}
