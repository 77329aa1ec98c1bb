//! Each figure, drawn from fixed data, against a stored one of half the size. `WICK_VIZ_STORE=1 cargo test -p wick-viz --test
//! pictures` stores them anew: look at them before committing them.

#![allow(clippy::unwrap_used)] // in the tests' own helpers too

mod charts;
mod likeness;

use charts::made_up::{counts, map, moved, picture};
use charts::{calibration, classes, learning, one_cycle, range, recipes, resnet_norms};
use likeness::compare;
use wick_viz::*;

/// As in the light.
fn light(chart: &Chart) -> RgbImage {
    chart.png(Theme::Light).unwrap()
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
    compare("comparison", &light(&recipes()));
}

#[test]
fn learning_rates_look_as_before() {
    compare("lr_finder", &light(&range()));
    compare("lr_schedule", &light(&one_cycle()));
}

#[test]
fn classes_and_confidences_look_as_before() {
    compare("per_class", &light(&classes()));
    compare("reliability", &light(&calibration()));
}

#[test]
fn norms_look_as_before() {
    compare("norms", &light(&resnet_norms()));
}

#[test]
fn dark_pages_look_as_before() {
    compare("curves_dark", &learning(20, |_| {}).png(Theme::Dark).unwrap());
    compare("reliability_dark", &calibration().png(Theme::Dark).unwrap());
}

#[test]
fn matrices_look_as_before() {
    let names = ["airplane", "automobile", "bird", "cat", "deer", "dog"];
    compare("confusion", &confusion(&counts(6, 1000), &names, &ConfusionOptions::default()).unwrap());
    let names: Vec<String> = (0..40).map(|i| format!("class {i}")).collect();
    compare("confusion_40", &confusion(&counts(40, 100), &names, &ConfusionOptions::default()).unwrap());
}

#[test]
fn maps_of_several_methods_look_as_before() {
    let pictures: Vec<_> = (0..3).map(picture).collect();
    let values: Vec<_> = (0..9).map(|i| if i == 4 { vec![0.5; 16] } else { map(i) }).collect();
    let maps: Vec<_> = values.iter().map(|v| HeatMap::new(v, 4, 4).unwrap()).collect();
    let image = |i: usize| Photo::new(&pictures[i], 32, 32).unwrap();
    let cases: Vec<_> = (0..3)
        .map(|i| ComparedCams {
            image: image(i),
            index: (i < 2).then_some(40 * i),
            maps: &maps[3 * i..3 * i + 3],
            truth: "airplane",
            predicted: ["airplane", "bird", "a name that is far too long to be shown whole"][i],
            probability: 0.3 + 0.2 * i as f64,
        })
        .collect();
    let columns = ["Grad-CAM", "EigenGrad-CAM", "layer3, layer4 and more"];
    let options = CamComparisonOptions { title: Some("Three methods".to_owned()), ..Default::default() };
    let group = |heading, cases| CamGroup { heading: Some(heading), cases };
    let groups = [group("Misclassified", &cases[1..]), group("Right, but unsure", &cases[..1])];
    compare("cam_comparison", &cam_comparison(&columns, &groups, &options).unwrap());
    let many: Vec<_> = (0..13).map(|i| ComparedCams { index: Some(i), ..cases[i % 3] }).collect();
    let groups = [group("Misclassified", &many[..]), group("Right, but unsure", &cases[..1])];
    compare("cam_comparison_blocks", &cam_comparison(&columns, &groups, &options).unwrap());
    let of_why = |i: usize| maps[i].flat_since("all against");
    let why: Vec<_> = (0..9).map(of_why).collect();
    let cases: Vec<_> = (0..3).map(|i| ComparedCams { maps: &why[3 * i..3 * i + 3], ..cases[i] }).collect();
    let columns = [
        "Grad-CAM\nwhatever the class\naugment-smoothed",
        "Guided backpropagation\nat the input",
        "LayerCAM",
    ];
    let overlay = OverlayOptions { colormap: Colormap::Jet, ..Default::default() };
    let options = CamComparisonOptions { title: Some("In jet".to_owned()), overlay, ..Default::default() };
    let groups = [CamGroup { heading: None, cases: &cases }];
    compare("cam_comparison_jet", &cam_comparison(&columns, &groups, &options).unwrap());
    let of =
        |i: usize| ClassCam { name: "airplane", mean_image: image(i), map: maps[2 * i], images: 1 + 999 * i };
    let options = ClassCamsOptions { columns: 2, ..Default::default() };
    compare("class_cams", &class_cams(&[of(0), of(1), of(2)], &options).unwrap());
}

#[test]
fn filters_look_as_before() {
    for (name, count, side, scale) in
        [("filters_64", 64, 3, FilterScale::Each), ("filters_24", 24, 2, FilterScale::Shared)]
    {
        let weights = charts::made_up::filters(count, side);
        let layout = FilterLayout::Oihw;
        let data = Filters { weights: &weights, count, height: side, width: side, layout };
        let options = FiltersOptions { title: Some("Filters".to_owned()), scale, ..Default::default() };
        compare(name, &filters(&data, &options).unwrap());
    }
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
            index: (i < 5).then_some(1009 * i),
            truth: names[i],
            predicted: names[5 - i],
            probability: 0.1 + 0.15 * i as f64,
        })
        .collect();
    let options =
        GalleryOptions { title: Some("Misclassified".to_owned()), columns: Some(3), ..Default::default() };
    compare("misclassified", &misclassified(&mistakes, &options).unwrap());
    let many: Vec<_> = (0..201).map(|i| Mistake { index: Some(i), ..mistakes[i % 6] }).collect();
    compare("misclassified_many", &misclassified(&many, &GalleryOptions::default()).unwrap());
    compare("misclassified_none", &misclassified(&[], &options).unwrap());
    let cases: Vec<_> = mistakes
        .iter()
        .zip(&maps)
        .map(|(m, map)| CamCase {
            image: m.image,
            index: m.index,
            map: HeatMap::new(map, 4, 4).unwrap(),
            truth: m.truth,
            predicted: names[0],
            probability: m.probability,
        })
        .collect();
    compare("cam_grid", &cam_grid(&cases, &CamGridOptions::default()).unwrap());
    let of_two_layers = |i: usize| {
        let map = cases[i].map.flat_since("all against");
        CamCase { map, ..cases[i - i % 2] }
    };
    let cases: Vec<_> = (0..6).map(of_two_layers).collect();
    let heads = ["at layer3", "at layer4"].map(str::to_owned).to_vec();
    let options = CamGridOptions { title: Some("Grad-CAM for cat".to_owned()), heads, ..Default::default() };
    compare("cam_grid_heads", &cam_grid(&cases, &options).unwrap());
    let calls: Vec<_> = (0..4)
        .map(|i| {
            let probabilities = [0.5 - 0.02 * i as f64, 0.3 + 0.01 * i as f64];
            CloseCall {
                image: photo(i),
                index: Some(i),
                first: names[i],
                second: names[i + 1],
                probabilities,
            }
        })
        .collect();
    let options = GalleryOptions { order: Order::LeastConfident, columns: Some(2), ..Default::default() };
    compare("unsure", &unsure(&calls, &options).unwrap());
    let drawn: Vec<_> = (0..5).map(|k| moved(&pictures[0], (k - 2, 2 - k), k % 2 == 0, 3 * k)).collect();
    let draws: Vec<_> = drawn.iter().map(|p| Photo::new(p, 32, 32).unwrap()).collect();
    let rows = [
        AugmentationRow { original: photo(0), draws: &draws, caption: names[0] },
        AugmentationRow { original: photo(1), draws: &draws[..2], caption: names[5] },
    ];
    compare("augmentations", &augmentations(&rows, &AugmentationsOptions::default()).unwrap());
}
