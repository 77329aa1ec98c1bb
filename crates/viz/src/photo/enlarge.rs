use super::{Photo, view::area};
use crate::{VizError, sheet::PIXEL_LIMIT};
use image::RgbImage;

/// `photo` with each pixel drawn as a square of `zoom` × `zoom`: nothing is smeared.
///
/// # Errors
/// [`VizError::OutOfRange`] if `zoom` is 0, [`VizError::TooLarge`] if the result would be over 100 million pixels.
pub fn enlarge(photo: Photo<'_>, zoom: u32) -> Result<RgbImage, VizError> {
    let z = zoom as usize;
    let (height, width) = (photo.size().height.saturating_mul(z), photo.size().width.saturating_mul(z));
    let pixels = area("enlarged photo", height, width)?;
    if pixels as u64 > PIXEL_LIMIT {
        let (width, height) = (width as u64, height as u64);
        return Err(VizError::TooLarge { figure: "enlarged photo", width, height, limit: PIXEL_LIMIT });
    }
    Ok(RgbImage::from_fn(width as u32, height as u32, |x, y| photo.pixel(x as usize / z, y as usize / z)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_becomes_a_square() {
        let rgb = [1, 2, 3, 4, 5, 6];
        let big = enlarge(Photo::new(&rgb, 1, 2).unwrap(), 3).unwrap();
        assert_eq!(big.dimensions(), (6, 3));
        for (x, _, p) in big.enumerate_pixels() {
            assert_eq!(p.0, if x < 3 { [1, 2, 3] } else { [4, 5, 6] });
        }
    }

    #[test]
    fn absurd_zooms_are_errors() {
        let photo = Photo::new(&[0; 3], 1, 1).unwrap();
        assert!(matches!(enlarge(photo, 0), Err(VizError::OutOfRange { .. })));
        assert!(matches!(enlarge(photo, u32::MAX), Err(VizError::TooLarge { .. })));
    }
}
