//! A page of eleven methods and galleries of forty images stays under 5 MB.

use safetensors::{Dtype, tensor::TensorView};
use wick_report::page;
use wick_runs::{
    GalleryImages, PICTURE_BYTES, PICTURE_SIDE, PictureSet, PredictionRow, Predictions, RunDir, write_atomic,
};
use wick_viz::{ClassCam, ClassCamsOptions, HeatMap, Photo, class_cams, save_png};

use crate::run::{Options, section, whole};

const METHODS: [&str; 11] = [
    "gradcam",
    "gradcam++",
    "hirescam",
    "xgradcam",
    "layercam",
    "eigencam",
    "eigengradcam",
    "scorecam",
    "ablationcam",
    "guided-backprop",
    "guided-gradcam",
];
/// Images that are wrong, and as many that are right.
const IMAGES: usize = 40;

/// Noise, which no picture format makes smaller.
fn noise(seed: usize) -> impl Iterator<Item = u8> {
    let mut state = seed as u64 + 1;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
}

/// Shades with so much noise over them: a photo has much, the mean of many little.
fn image(seed: usize, share: f64) -> [u8; PICTURE_BYTES] {
    let mut noise = noise(seed);
    let corners: Vec<f64> = noise.by_ref().take(12).map(f64::from).collect();
    std::array::from_fn(|i| {
        let (x, y) = ((i / 3 % PICTURE_SIDE) as f64 / 31.0, (i / 3 / PICTURE_SIDE) as f64 / 31.0);
        let corner = |at: usize| corners[3 * at + i % 3];
        let even =
            (1.0 - y) * ((1.0 - x) * corner(0) + x * corner(1)) + y * ((1.0 - x) * corner(2) + x * corner(3));
        ((1.0 - share) * even + share * f64::from(noise.next().unwrap_or(0))) as u8
    })
}

fn large(run: &RunDir) {
    let names: Vec<String> = (0..10).map(|class| format!("class {class}")).collect();
    let rows = (0..2 * IMAGES).map(|index| {
        let (truth, predicted) = (index % 10, if index < IMAGES { (index + 1) % 10 } else { index % 10 });
        let mut probabilities = vec![0.05; 10];
        probabilities[predicted] = 0.55;
        PredictionRow { index, truth, predicted, probabilities }
    });
    Predictions { class_names: names.clone(), rows: rows.collect() }.write(&run.predictions()).unwrap();
    let set = |from: usize| {
        let mut set = PictureSet::default();
        (from..from + IMAGES).for_each(|index| set.push(index, &image(index, 0.25)));
        set
    };
    let galleries = GalleryImages { misclassified: set(0), unsure: set(IMAGES), ..GalleryImages::default() };
    galleries.write(&run.gallery()).unwrap();
    let photos: Vec<[u8; PICTURE_BYTES]> = (0..10).map(|class| image(class, 0.05)).collect();
    for (seed, method) in METHODS.iter().enumerate() {
        let cam = run.cam(method).unwrap();
        let line = |row: usize| format!("{row},{row},0,1,0.55,1,{method},layer4\n");
        let lines: String = (0..2 * IMAGES).map(line).collect();
        let header = "row,index,true,predicted,probability,target,method,layer\n";
        write_atomic(&cam.index(), format!("{header}{lines}").as_bytes()).unwrap();
        let maps: Vec<f32> = noise(seed).take(2 * IMAGES * 16).map(f32::from).collect();
        let bytes: Vec<u8> = maps.iter().flat_map(|v| v.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![2 * IMAGES, 4, 4], &bytes).unwrap();
        write_atomic(&cam.raw(), &safetensors::serialize([("raw", view)], None).unwrap()).unwrap();
        let classes: Vec<ClassCam<'_>> = names
            .iter()
            .zip(&photos)
            .zip(maps.chunks(16))
            .map(|((name, photo), map)| ClassCam {
                name,
                mean_image: Photo::new(photo, PICTURE_SIDE, PICTURE_SIDE).unwrap(),
                map: HeatMap::new(map, 4, 4).unwrap(),
                images: 20,
            })
            .collect();
        save_png(&class_cams(&classes, &ClassCamsOptions::default()).unwrap(), &cam.classes()).unwrap();
    }
}

#[test]
fn eleven_methods_and_forty_images_a_gallery_stay_below_5_mb() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(&folder.path().join("run"), &Options::default());
    large(&run);
    let html = page(&run).unwrap();
    assert!(html.len() < 5_000_000, "{} bytes", html.len());
    // As many as there is room for, and what is left out is said.
    for id in ["misclassified", "unsure"] {
        let gallery = section(&html, id);
        let shown = gallery.matches("<li class=\"card\"").count();
        assert!((20..IMAGES).contains(&shown), "{id}: {shown} of {IMAGES}");
        assert_eq!(gallery.matches("<img ").count(), 12 * shown + 1, "and the legend");
        assert_eq!(gallery.matches("<p class=\"scale\">").count(), 1);
        let left_out = IMAGES - shown;
        let said = format!("The run has pictures of {left_out} more, which would make this page too large.");
        assert!(gallery.contains(&said), "{id}");
    }
    assert_eq!(section(&html, "looks").matches("<img ").count(), METHODS.len());
}

#[test]
fn a_gallery_of_many_images_says_how_many_it_shows_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(&folder.path().join("run"), &Options::default());
    let names = ["cat", "dog"].map(str::to_owned).to_vec();
    let row = |index| PredictionRow { index, truth: 0, predicted: 1, probabilities: vec![0.25, 0.75] };
    Predictions { class_names: names, rows: (0..60).map(row).collect() }.write(&run.predictions()).unwrap();
    let mut misclassified = PictureSet::default();
    (0..55).for_each(|index| misclassified.push(index, &image(index, 0.05)));
    GalleryImages { misclassified, ..GalleryImages::default() }.write(&run.gallery()).unwrap();
    let html = page(&run).unwrap();
    let said = "40 of the 60 images that the network got wrong, of 60. \
                The run has pictures of 15 more; this page shows 40 at most.";
    assert!(section(&html, "misclassified").contains(said));
}
