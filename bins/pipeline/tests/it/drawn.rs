//! Pictures of maps, pixel by pixel.

use std::path::Path;

use wick_runs::{CamIndexRow, CamStatus, RunDir, read_rows};
use wick_viz::RgbImage;

use crate::common::succeed;

/// In a grid: how many pixels wide and high each pixel of a photo is, and how far it is from a picture to the one on its right.
const ZOOM: u32 = 4;
const PITCH: u32 = 32 * ZOOM + 6;

/// The colours of maps, and how they meet the photo.
pub fn maps_are_drawn_as_asked(folder: &Path) {
    let run = RunDir::open(folder).unwrap();
    let kept: Vec<CamIndexRow> = read_rows(&run.cam("gradcam").unwrap().index()).unwrap();
    let image = kept.iter().find(|row| row.status == CamStatus::Normal).unwrap().index.unwrap();
    let photo = wick_cifar::synthetic_dataset(0, 72, 24).test.image(image).to_vec();
    let out = tempfile::tempdir().unwrap();
    let (at, index) = (folder.to_str().unwrap(), image.to_string());
    let base = ["gradcam", "--run", at, "--method", "gradcam", "--indices", &index];
    let base = [&base[..], &["--out", out.path().to_str().unwrap()]].concat();
    let drawn = |options: &[&str]| {
        succeed(&[&base[..], options].concat());
        let cams = RunDir::names_below(out.path()).cam("gradcam").unwrap();
        let rows: Vec<CamIndexRow> = read_rows(&cams.index()).unwrap();
        let how = [rows[0].colormap.clone(), rows[0].blend.clone()].map(Option::unwrap);
        (Tiles::of(&wick_viz::read_image(&cams.grid()).unwrap(), &photo), how)
    };
    let (usual, how) = drawn(&[]);
    assert_eq!(how, ["viridis", "even"]);
    assert!(usual.furthest_brightness() > 20.0, "{}", usual.furthest_brightness());

    let (jet, how) = drawn(&["--colormap", "jet"]);
    assert_eq!(how, ["jet", "even"]);
    assert!(jet.heat != usual.heat && jet.overlay != usual.overlay);

    // Each channel is rounded once, by at most a half.
    let (kept, how) = drawn(&["--blend", "keep-brightness"]);
    assert_eq!(how, ["viridis", "keep-brightness"]);
    assert!(kept.heat == usual.heat && kept.overlay != kept.photo);
    assert!(kept.furthest_brightness() <= 0.51, "{}", kept.furthest_brightness());
}

/// The three pictures of a grid's first case, a pixel of each for each of the photo.
struct Tiles {
    photo: Vec<[u8; 3]>,
    heat: Vec<[u8; 3]>,
    overlay: Vec<[u8; 3]>,
}

impl Tiles {
    /// Where the photo is found in the grid, the others are on its right.
    fn of(grid: &RgbImage, photo: &[u8]) -> Self {
        let photo = photo.as_chunks::<3>().0.to_vec();
        let offsets =
            || (0..32).flat_map(|y| (0..32).map(move |x| (ZOOM * x + ZOOM / 2, ZOOM * y + ZOOM / 2)));
        let pixels = |x: u32, y: u32| offsets().map(move |(dx, dy)| grid.get_pixel(x + dx, y + dy).0);
        let (width, height) = (grid.width() - 32 * ZOOM, grid.height() - 32 * ZOOM);
        let mut places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let is_here = |(x, y): &(u32, u32)| pixels(*x, *y).eq(photo.iter().copied());
        // That place with the photo's frame around it: of flat photos others look alike.
        let (x, y) = places.find(is_here).unwrap();
        let tile = |n: u32| pixels(x + n * PITCH, y).collect();
        Self { heat: tile(1), overlay: tile(2), photo }
    }

    /// By how much the overlay is brighter or darker than the photo at most, as luma of BT.601.
    fn furthest_brightness(&self) -> f32 {
        let luma = |[r, g, b]: [u8; 3]| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
        let pairs = self.photo.iter().zip(&self.overlay);
        pairs.map(|(a, b)| (luma(*a) - luma(*b)).abs()).fold(0.0, f32::max)
    }
}
