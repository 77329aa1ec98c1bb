//! Whether a picture is like a stored one.

use std::path::PathBuf;
use wick_viz::{
    image::imageops::{FilterType, replace, resize},
    image::{GenericImageView, Rgb},
    *,
};

use crate::charts::made_up::{filters as weights, map, picture};
use crate::charts::{learning, one_cycle};

/// Mean absolute difference, in grey levels, that two pictures of half the size may have over all of the picture. The same data on
/// the same machine make 0; half a point less accuracy of one curve makes 0.42. Another machine's floating point may round a shade
/// by a level here and there, which makes far less.
const WHOLE: f64 = 0.25;

/// The same over the worst tile: a missing title is hardly anything of the whole picture (0.17), but makes 25 here, and a colour bar
/// that is shifted by six pixels, the least of what the tests below want seen, makes 12. Room is left for a few pixels at the edge of
/// a line that another machine rounds to the other side.
const TILE: f64 = 8.0;

/// Side of a tile: about a word of a caption at half the size.
const SIDE: u32 = 16;

fn small(picture: &RgbImage) -> RgbImage {
    resize(picture, picture.width().div_ceil(2), picture.height().div_ceil(2), FilterType::Triangle)
}

/// How two pictures differ on average, all over and in the worst tile.
#[derive(Clone, Copy, Debug)]
struct Difference {
    whole: f64,
    tile: f64,
}

impl Difference {
    fn of(a: &RgbImage, b: &RgbImage) -> Self {
        assert_eq!(a.dimensions(), b.dimensions());
        let (width, height) = a.dimensions();
        let columns = width.div_ceil(SIDE) as usize;
        let mut tiles = vec![(0_u64, 0_u64); columns * height.div_ceil(SIDE) as usize];
        for ((x, y, a), b) in a.enumerate_pixels().zip(b.pixels()) {
            let (sum, count) = &mut tiles[(y / SIDE) as usize * columns + (x / SIDE) as usize];
            *sum += a.0.iter().zip(b.0).map(|(a, b)| u64::from(a.abs_diff(b))).sum::<u64>();
            *count += 3;
        }
        let mean = |(sum, count): (u64, u64)| sum as f64 / count as f64;
        let all = tiles.iter().fold((0, 0), |all, tile| (all.0 + tile.0, all.1 + tile.1));
        Self { whole: mean(all), tile: tiles.into_iter().map(mean).fold(0.0, f64::max) }
    }

    fn is_seen(self) -> bool {
        self.whole > WHOLE || self.tile > TILE
    }
}

pub(crate) fn compare(name: &str, picture: &RgbImage) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name).with_extension("png");
    let small = small(picture);
    if std::env::var_os("WICK_VIZ_STORE").is_some() {
        save_png(&small, &path).unwrap();
    }
    let difference = Difference::of(&small, &read_image(&path).unwrap());
    assert!(!difference.is_seen(), "{name}: differs from {} by {difference:.2?} grey levels", path.display());
}

/// The picture with its background's colour in a rectangle: x, y, width, height.
fn without(picture: &RgbImage, (x, y, width, height): (u32, u32, u32, u32)) -> RgbImage {
    let mut without = picture.clone();
    let nothing = RgbImage::from_pixel(width, height, *picture.get_pixel(0, 0));
    replace(&mut without, &nothing, i64::from(x), i64::from(y));
    without
}

fn seen(what: &str, a: &RgbImage, b: &RgbImage) {
    let difference = Difference::of(&small(a), &small(b));
    assert!(difference.is_seen(), "{what}: {difference:.2?}");
}

fn averages() -> RgbImage {
    let (images, maps) = ([0, 1, 2].map(picture), [0, 2, 4].map(map));
    let classes = [0, 1, 2].map(|i| ClassCam {
        name: "airplane",
        mean_image: Photo::new(&images[i], 32, 32).unwrap(),
        map: HeatMap::new(&maps[i], 4, 4).unwrap(),
        images: 20,
    });
    class_cams(&classes, &ClassCamsOptions::default()).unwrap()
}

#[test]
fn a_missing_title_is_seen() {
    let weights = weights(64, 3);
    let data = Filters { weights: &weights, count: 64, height: 3, width: 3, layout: FilterLayout::Oihw };
    let options = FiltersOptions { title: Some("Filters".to_owned()), ..Default::default() };
    let sheet = filters(&data, &options).unwrap();
    seen("filters", &sheet, &without(&sheet, (0, 0, sheet.width(), 48)));
    let chart = one_cycle().png(Theme::Light).unwrap();
    seen("schedule", &chart, &without(&chart, (0, 0, chart.width(), 48)));
}

#[test]
fn missing_captions_are_seen() {
    let sheet = averages();
    // The colour bar takes the last 58 rows, the numbers of images the 20 and the names the 20 before some space.
    for from in [100, 80] {
        seen("averages", &sheet, &without(&sheet, (0, sheet.height() - from, sheet.width(), 20)));
    }
    let chart = learning(20, |_| {}).png(Theme::Light).unwrap();
    let below = without(&chart, (0, chart.height() - 40, chart.width(), 40));
    seen("axes", &chart, &below);
}

#[test]
fn a_shifted_colour_bar_is_seen() {
    let sheet = averages();
    let (y, width) = (sheet.height() - 38, sheet.width() - 6);
    let bar = sheet.view(0, y, width, 14).to_image();
    let mut shifted = sheet.clone();
    replace(&mut shifted, &bar, 6, i64::from(y));
    seen("averages", &sheet, &shifted);
}

#[test]
fn a_curve_that_moves_is_seen() {
    let chart = |by: f64| {
        let moved = learning(20, |r| r.test_accuracy.iter_mut().for_each(|a| *a -= by));
        moved.png(Theme::Light).unwrap()
    };
    seen("half a point of accuracy", &chart(0.0), &chart(0.005));
}

#[test]
fn shades_that_round_otherwise_are_not_seen() {
    let sheet = averages();
    let mut rounded = sheet.clone();
    for (x, y, pixel) in rounded.enumerate_pixels_mut() {
        if (x + y) % 5 == 0 {
            *pixel = Rgb(pixel.0.map(|shade| shade.saturating_add(1)));
        }
    }
    let difference = Difference::of(&small(&sheet), &small(&rounded));
    assert!(!difference.is_seen(), "{difference:.2?}");
}
