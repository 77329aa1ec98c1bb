use super::{Blend, HeatMap, Range, min_max};
use crate::{Colormap, Photo, VizError};
use image::{Rgb, RgbImage};

/// How [`overlay`] draws. Usually in viridis, seven parts of it to three of the photo: with less, who sees no green cannot tell the
/// lowest quarters of the map apart on a bright photo.
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
        Self { colormap: Colormap::default(), alpha: 0.7, blend: Blend::default() }
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
    use crate::colour::sight::Sight;

    fn photo_bytes(n: usize) -> Vec<u8> {
        (0..n as u32 * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    #[test]
    fn brightness_stays() {
        let (bytes, map) = (photo_bytes(32 * 32), [0.1, 0.9, 0.4, 0.2]);
        let photo = Photo::new(&bytes, 32, 32).unwrap();
        for colormap in Colormap::ALL {
            for alpha in [0.0, 0.3, 0.6, 1.0] {
                let options = OverlayOptions { colormap, alpha, blend: Blend::KeepBrightness };
                let out = overlay(photo, HeatMap::new(&map, 2, 2).unwrap(), &options).unwrap();
                for (x, y, p) in out.enumerate_pixels() {
                    // Each channel is rounded once, by at most ½, and the luma's weights add to 1.
                    let before = luma(photo.pixel(x as usize, y as usize).0);
                    assert!((luma(p.0) - before).abs() <= 0.501, "{x},{y}: {before} became {}", luma(p.0));
                }
            }
        }
    }

    /// Quarters of a map over greys from 0.2 to 0.8, as `options` draws them.
    fn quarters(options: &OverlayOptions) -> Vec<[[u8; 3]; 5]> {
        let of = |grey: u32| {
            let photo = vec![(51 + grey) as u8; 5 * 3];
            let map = [0.0, 0.25, 0.5, 0.75, 1.0];
            let map = HeatMap::new(&map, 1, 5).unwrap();
            let drawn = overlay(Photo::new(&photo, 1, 5).unwrap(), map, options).unwrap();
            std::array::from_fn(|i| drawn.get_pixel(i as u32, 0).0)
        };
        (0..=153).map(of).collect()
    }

    /// The least ΔE of two quarters next to each other, on any grey.
    fn least(options: &OverlayOptions, sight: Sight) -> f64 {
        let steps = quarters(options).into_iter().flat_map(|colours| {
            let step = move |i: usize| sight.difference(colours[i], colours[i + 1]);
            (0..4).map(step)
        });
        steps.fold(f64::INFINITY, f64::min)
    }

    /// ΔE 1976 of 14 is told apart at a glance, as lines of charts are. What is higher is also brighter, to every eye and in a black
    /// and white print; jet, which passes the first, has a dark end at either side.
    #[test]
    fn quarters_of_a_map_are_told_apart_without_red_and_green() {
        let usual = OverlayOptions::default();
        for sight in Sight::ALL {
            assert!(least(&usual, sight) > 14.0, "{sight:?}: {:.1}", least(&usual, sight));
            let brighter = |options: &OverlayOptions| {
                quarters(options)
                    .iter()
                    .all(|colours| colours.is_sorted_by(|a, b| sight.lab(*a)[0] < sight.lab(*b)[0]))
            };
            assert!(brighter(&usual), "{sight:?}");
            assert!(!brighter(&OverlayOptions { colormap: Colormap::Jet, ..usual }), "{sight:?}");
        }
    }

    /// Where only hue is left, no map can be read by everyone.
    #[test]
    fn brightness_is_what_tells_them_apart() {
        for colormap in Colormap::ALL {
            let hue = OverlayOptions { colormap, blend: Blend::KeepBrightness, ..Default::default() };
            assert!(least(&hue, Sight::Deuteranopia) < 3.0, "{colormap:?}");
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
