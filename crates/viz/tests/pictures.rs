//! Each figure, drawn from fixed data, against a stored one of a quarter of the size. `WICK_VIZ_STORE=1 cargo test -p wick-viz --test
//! pictures` stores them anew: look at them before committing them.

#![allow(clippy::unwrap_used)] // in the tests' own helpers too

#[path = "../examples/gallery/made_up.rs"]
mod made_up;

use made_up::{counts, map, moved, picture, range_test, run};
use std::path::PathBuf;
use wick_viz::{
    image::imageops::{FilterType, resize},
    *,
};

/// As in the light.
fn light(chart: &Chart) -> RgbImage {
    chart.png(Theme::Light).unwrap()
}

/// Mean absolute difference, in grey levels, that two small pictures may have. Lowering one curve by half a point of accuracy makes
/// 0.32, by one point 0.56; the same data on the same machine make 0.
const TOLERANCE: f64 = 0.25;

fn small(picture: &RgbImage) -> RgbImage {
    resize(picture, picture.width().div_ceil(4), picture.height().div_ceil(4), FilterType::Triangle)
}

fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let sum: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.as_raw().len() as f64
}

fn compare(name: &str, picture: &RgbImage) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name).with_extension("png");
    let small = small(picture);
    if std::env::var_os("WICK_VIZ_STORE").is_some() {
        save_png(&small, &path).unwrap();
    }
    let difference = difference(&small, &read_image(&path).unwrap());
    assert!(
        difference <= TOLERANCE,
        "{name}: differs from {} by {difference:.2} grey levels",
        path.display()
    );
}

fn learning(epochs: usize, change: impl Fn(&mut made_up::Run)) -> Chart {
    let mut r = run(epochs);
    change(&mut r);
    let data = Curves {
        train_loss: &r.train_loss,
        test_loss: &r.test_loss,
        train_accuracy: &r.train_accuracy,
        test_accuracy: &r.test_accuracy,
        lr: &r.lr,
        momentum: &r.momentum,
    };
    curves(&data, &CurvesOptions::default()).unwrap()
}

#[test]
fn curves_look_as_before() {
    compare("curves", &light(&learning(20, |_| {})));
    compare("curves_one_epoch", &light(&learning(1, |_| {})));
    let gaps = learning(12, |r| {
        r.test_loss[4] = f64::NAN;
        r.train_loss[3..6].fill(f64::INFINITY);
    });
    compare("curves_gaps", &light(&gaps));
}

#[test]
fn comparisons_look_as_before() {
    let epochs = 12;
    let seed = |offset: usize, shift: f64| {
        let r = run(epochs + offset);
        let loss: Vec<f64> = r.test_loss[..epochs].iter().map(|l| l + 0.2 * shift).collect();
        let wave = |e: usize| 0.01 * ((e * (offset + 2)) as f64).sin();
        let accuracy =
            r.test_accuracy.iter().take(epochs).zip(0..).map(|(a, e)| a - shift + wave(e)).collect();
        (loss, accuracy)
    };
    let of = |shift: f64| -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        (0..3).map(|k| seed(k, shift + 0.015 * k as f64)).unzip()
    };
    let (mut first, second, mut alone) = (of(0.0), of(0.08), seed(1, 0.2));
    first.0[1][5] = f64::NAN;
    alone.0.truncate(1);
    alone.1.truncate(1);
    let (loss, accuracy): (Vec<Vec<f64>>, Vec<Vec<f64>>) = ([alone.0].into(), [alone.1].into());
    let groups = [
        ComparedRuns { name: "s9-ghostbn", loss: &first.0, accuracy: &first.1 },
        ComparedRuns {
            name: "s9-ghostbn, optim.momentum.nesterov = 0.9",
            loss: &second.0,
            accuracy: &second.1,
        },
        ComparedRuns { name: "one epoch of one seed", loss: &loss, accuracy: &accuracy },
    ];
    let options = ComparisonOptions { title: Some("Three recipes".to_owned()), ..Default::default() };
    compare("comparison", &light(&comparison(&groups, &options).unwrap()));
}

/// The comparison notices what a reader would: a missing gap or a line that ends elsewhere.
#[test]
fn the_comparison_is_sharp_enough() {
    let whole = small(&light(&learning(20, |_| {})));
    let moved = small(&light(&learning(20, |r| r.test_accuracy.iter_mut().for_each(|a| *a -= 0.01))));
    assert!(difference(&whole, &moved) > TOLERANCE, "{}", difference(&whole, &moved));
}

#[test]
fn learning_rates_look_as_before() {
    let (lr, loss, smoothed) = range_test(100);
    let suggestions =
        [("steepest gradient", 5.09e-3), ("valley", 4.1e-3), ("slide", 0.09), ("none", f64::NAN)]
            .map(|(name, lr)| Suggestion { name, lr });
    let data = LrFinder { lr: &lr, loss: &loss, smoothed: &smoothed, suggestions: &suggestions };
    compare("lr_finder", &light(&lr_finder(&data, &LrFinderOptions::default()).unwrap()));
    let r = run(80);
    let data = LrSchedule { lr: &r.lr, momentum: &r.momentum };
    let options = LrScheduleOptions { title: Some("One cycle".to_owned()), steps_per_epoch: Some(20) };
    compare("lr_schedule", &light(&lr_schedule(&data, &options).unwrap()));
}

#[test]
fn matrices_look_as_before() {
    let names = ["airplane", "automobile", "bird", "cat", "deer", "dog"];
    compare("confusion", &confusion(&counts(6, 1000), &names, &ConfusionOptions::default()).unwrap());
    let names: Vec<String> = (0..40).map(|i| format!("class {i}")).collect();
    compare("confusion_40", &confusion(&counts(40, 100), &names, &ConfusionOptions::default()).unwrap());
}

#[test]
fn galleries_look_as_before() {
    let pictures: Vec<_> = (0..6).map(picture).collect();
    let maps: Vec<_> = (0..6).map(|i| if i == 4 { vec![0.5; 16] } else { map(i) }).collect();
    let names =
        ["airplane", "automobile", "bird", "cat", "deer", "a name that is far too long to be shown whole"];
    let photo = |i: usize| Photo::new(&pictures[i], 32, 32).unwrap();
    let mistakes: Vec<_> = (0..6)
        .map(|i| Mistake {
            image: photo(i),
            truth: names[i],
            predicted: names[5 - i],
            probability: 0.1 + 0.15 * i as f64,
        })
        .collect();
    let options =
        GalleryOptions { title: Some("Misclassified".to_owned()), columns: 3, ..Default::default() };
    compare("misclassified", &misclassified(&mistakes, &options).unwrap());
    compare("misclassified_none", &misclassified(&[], &options).unwrap());
    let cases: Vec<_> = mistakes
        .iter()
        .zip(&maps)
        .map(|(m, map)| CamCase {
            image: m.image,
            map: HeatMap::new(map, 4, 4).unwrap(),
            truth: m.truth,
            predicted: names[0],
            probability: m.probability,
        })
        .collect();
    compare("cam_grid", &cam_grid(&cases, &CamGridOptions::default()).unwrap());
    let drawn: Vec<_> = (0..5).map(|k| moved(&pictures[0], (k - 2, 2 - k), k % 2 == 0, 3 * k)).collect();
    let draws: Vec<_> = drawn.iter().map(|p| Photo::new(p, 32, 32).unwrap()).collect();
    let rows = [
        AugmentationRow { original: photo(0), draws: &draws, caption: names[0] },
        AugmentationRow { original: photo(1), draws: &draws[..2], caption: names[5] },
    ];
    compare("augmentations", &augmentations(&rows, &AugmentationsOptions::default()).unwrap());
}
