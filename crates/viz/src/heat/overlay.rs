use super::{Blend, HeatMap, Range, min_max};
use crate::{Colormap, Photo, VizError};
use image::{Rgb, RgbImage};

/// How [`overlay`] draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlayOptions {
    /// The colours of the map.
    pub colormap: Colormap,
    /// The share of the map, 0 (the photo alone) to 1.
    pub alpha: f32,
    /// How the two meet.
    pub blend: Blend,
}

impl Default for OverlayOptions {
    fn default() -> Self {
        Self { colormap: Colormap::Jet, alpha: 0.5, blend: Blend::default() }
    }
}

/// `map` over `photo`, in the photo's size: the map is resized ([`HeatMap::resized`]), scaled to 0..=1 ([`min_max`]), coloured, and
/// blended by one of the formulas of [`Blend`]. A map whose values are all equal says nothing, and leaves the photo as it is.
///
/// # Errors
/// [`VizError::OutOfRange`] if `alpha` is not within 0..=1.
pub fn overlay(photo: Photo<'_>, map: HeatMap<'_>, options: &OverlayOptions) -> Result<RgbImage, VizError> {
    if !(0.0..=1.0).contains(&options.alpha) {
        return Err(VizError::OutOfRange {
            what: "alpha of an overlay".to_owned(),
            expected: "a share from 0 to 1".to_owned(),
            got: options.alpha.to_string(),
        });
    }
    let size = photo.size();
    let scaled = min_max(&map.resized(size.height, size.width)?);
    Ok(RgbImage::from_fn(size.width as u32, size.height as u32, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let pixel = photo.pixel(x, y);
        if let Range::Flat(_) = scaled.range {
            return pixel;
        }
        let value = scaled.values[y * size.width + x];
        Rgb(options.blend.pixel(pixel.0, options.colormap.at(value), value, options.alpha))
    }))
}

/// `map` in colours at `height` × `width` pixels: resized, scaled to 0..=1, coloured. A map whose values are all equal is drawn in
/// one light grey, which no colour map contains.
///
/// # Errors
/// [`VizError::OutOfRange`] if a side is 0 or there would be over 100 million pixels.
pub fn heatmap(
    map: HeatMap<'_>,
    height: usize,
    width: usize,
    colormap: Colormap,
) -> Result<RgbImage, VizError> {
    let scaled = min_max(&map.resized(height, width)?);
    Ok(RgbImage::from_fn(width as u32, height as u32, |x, y| {
        Rgb(match scaled.range {
            Range::Flat(_) => [224; 3],
            Range::Spread { .. } => colormap.at(scaled.values[y as usize * width + x as usize]),
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::palette::luma;

    fn photo_bytes(n: usize) -> Vec<u8> {
        (0..n as u32 * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    #[test]
    fn brightness_stays() {
        let (bytes, map) = (photo_bytes(32 * 32), [0.1, 0.9, 0.4, 0.2]);
        let photo = Photo::new(&bytes, 32, 32).unwrap();
        for colormap in Colormap::ALL {
            for alpha in [0.0, 0.3, 0.6, 1.0] {
                let options = OverlayOptions { colormap, alpha, ..Default::default() };
                let out = overlay(photo, HeatMap::new(&map, 2, 2).unwrap(), &options).unwrap();
                for (x, y, p) in out.enumerate_pixels() {
                    // Each channel is rounded once, by at most ½, and the luma's weights add to 1.
                    let before = luma(photo.pixel(x as usize, y as usize).0);
                    assert!((luma(p.0) - before).abs() <= 0.501, "{x},{y}: {before} became {}", luma(p.0));
                }
            }
        }
    }

    #[test]
    fn flat_maps_leave_the_photo() {
        let bytes = photo_bytes(6);
        let photo = Photo::new(&bytes, 2, 3).unwrap();
        let flat = HeatMap::new(&[0.7; 4], 2, 2).unwrap();
        assert_eq!(overlay(photo, flat, &OverlayOptions::default()).unwrap().into_raw(), bytes);
        assert!(heatmap(flat, 2, 2, Colormap::Jet).unwrap().pixels().all(|p| p.0 == [224; 3]));
    }

    #[test]
    fn heatmap_ends_are_the_colour_maps_ends() {
        let map = HeatMap::new(&[-2.0, 5.0], 1, 2).unwrap();
        let out = heatmap(map, 1, 2, Colormap::Viridis).unwrap();
        assert_eq!(out.as_raw()[..], [0x44, 0x01, 0x54, 0xfd, 0xe7, 0x25]);
    }

    #[test]
    fn alpha_is_a_share() {
        let bytes = photo_bytes(1);
        let photo = Photo::new(&bytes, 1, 1).unwrap();
        let map = HeatMap::new(&[1.0], 1, 1).unwrap();
        for alpha in [-0.1, 1.1, f32::NAN] {
            let options = OverlayOptions { alpha, ..Default::default() };
            assert!(matches!(overlay(photo, map, &options), Err(VizError::OutOfRange { .. })));
        }
    }
}
