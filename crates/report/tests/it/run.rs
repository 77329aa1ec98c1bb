//! A run folder with two epochs, three classes, six judged images, and one map for each of two methods.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, tensor::TensorView};
use wick_runs::{
    CamQualityRow, Claim, Claims, ConfusionTable, EpochRow, Figure, GalleryImages, Input, Kind, LrFinderLoss,
    LrFinderReport, LrFinderRow, LrFinderSettings, Manifest, NormRow, PICTURE_BYTES, PerClassRow, PictureSet,
    PredictionRow, Predictions, RunDir, StepRow, Suggestion, TimingRow, write_atomic, write_json, write_rows,
};

pub struct Options {
    pub class_names: [&'static str; 3],
    pub recipe: &'static str,
    /// Of the last epoch.
    pub accuracy: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            class_names: ["cat", "dog", "frog"],
            recipe: "name = \"mine\"\ndescription = \"A small one\"\nseed = 3\n[model]\narchitecture = \"resnet18\"\n[train]\nepochs = 2\n",
            accuracy: 2.0 / 3.0,
        }
    }
}

/// A run with everything in it.
pub fn whole(folder: &Path, options: &Options) -> RunDir {
    let run = RunDir::at(folder).unwrap();
    fs::write(run.recipe_toml(), options.recipe).unwrap();
    let mut manifest = Manifest::begin(vec!["pipeline".into(), "prepare".into()], "cpu");
    manifest.started = wick_runs::Timestamp::from_second(1_700_000_000).unwrap();
    manifest.machine.cpu = "Test CPU".to_owned();
    manifest.write(&run).unwrap();
    fs::write(run.summary(), "Layer  Kind\nconv1  Conv2d\n").unwrap();
    tables(&run, options);
    judged(&run, &options.class_names);
    pictures(&run);
    checkpoints(&run);
    run
}

/// Weights, and the stages that read them.
fn checkpoints(run: &RunDir) {
    write_atomic(&run.last(), b"the last epoch's").unwrap();
    write_atomic(&run.best(), b"the best epoch's").unwrap();
    record(run, "evaluate", &run.last(), &[run.predictions()]);
    explained_by(run, &run.last());
}

/// Says that maps and their figures were made with these weights.
pub fn explained_by(run: &RunDir, weights: &Path) {
    let indices = ["gradcam", "layercam"].map(|method| run.cam(method).unwrap().index());
    record(run, "gradcam", weights, &indices);
    record(run, "gradcam-evaluate", weights, &[run.cam_quality()]);
}

fn record(run: &RunDir, stage: &str, weights: &Path, outputs: &[PathBuf]) {
    Manifest::record_stage(run, stage, &[Input::path(weights)], outputs, 2.0).unwrap();
}

fn tables(run: &RunDir, options: &Options) {
    let epoch = |epoch, test_accuracy| EpochRow {
        epoch,
        lr: 0.01 / epoch as f64,
        momentum: 0.9,
        train_loss: 1.5 / epoch as f64,
        train_accuracy: 0.4,
        test_loss: 1.25,
        test_accuracy,
    };
    write_rows(&run.epochs(), &[epoch(1, 0.75), epoch(2, options.accuracy)]).unwrap();
    let timing = |epoch, seconds| TimingRow { epoch, seconds, images_per_second: 2000.0 };
    write_rows(&run.timing(), &[timing(1, 60.0), timing(2, 64.0)]).unwrap();
    let step = |step: u64| StepRow { step, epoch: 1 + step / 3, lr: 0.01, loss: 2.0 / step as f64 };
    write_rows(&run.steps(), &(1..=4).map(step).collect::<Vec<_>>()).unwrap();
    let norm = |epoch, parameter: &str| NormRow {
        epoch,
        step: 2 * epoch,
        parameter: parameter.to_owned(),
        weight_norm: 3.0,
        gradient_norm: Some(0.5),
    };
    let norms = [norm(1, "conv1.weight"), norm(1, "linear.weight"), norm(2, "conv1.weight")];
    write_rows(&run.norms(), &norms).unwrap();
    let find = |step: u64, lr, loss| LrFinderRow { step, lr, loss, smoothed: loss };
    write_rows(&run.lr_finder_csv(), &[find(0, 1e-4, 2.3), find(1, 1e-3, 1.9), find(2, 1e-2, 2.1)]).unwrap();
    let settings = LrFinderSettings {
        start_lr: 1e-4,
        end_lr: 1e-2,
        steps: 3,
        mode: "exponential".to_owned(),
        smoothing: 0.05,
        diverge: 5.0,
        skip_start: 0,
        skip_end: 0,
        batch_size: 32,
        loss: LrFinderLoss::HeldOut(512),
    };
    let suggestions = [("steepest".to_owned(), Suggestion { index: 1, lr: 1e-3 })].into();
    let report = LrFinderReport { suggestions, settings, stopped_early: false };
    write_json(&run.lr_finder_json(), &report).unwrap();
    let claims = vec![
        Claim::judge("parameters", Kind::Exact, 11_173_962, 11_173_962),
        Claim::judge("accuracy", Kind::Within { tolerance: 0.004 }, 0.9222, options.accuracy).in_percent(),
    ];
    Claims { claims }.write(&run.claims()).unwrap();
}

/// Two images of each class; images 2 (dog) and 5 (frog) are taken for cats.
fn judged(run: &RunDir, names: &[&str; 3]) {
    let class_names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let truth = [0, 0, 1, 1, 2, 2];
    let predicted = [0, 0, 0, 1, 2, 0];
    let rows = (0..6).map(|index| {
        let mut probabilities = vec![0.125; 3];
        probabilities[predicted[index]] = 0.75;
        PredictionRow { index, truth: truth[index], predicted: predicted[index], probabilities }
    });
    Predictions { class_names: class_names.clone(), rows: rows.collect() }.write(&run.predictions()).unwrap();
    let counts = vec![vec![2, 0, 0], vec![1, 1, 0], vec![1, 0, 1]];
    ConfusionTable { class_names, counts }.write(&run.confusion()).unwrap();
    let class = |class: usize, correct| PerClassRow {
        class,
        name: names[class].to_owned(),
        images: 2,
        correct,
        accuracy: correct as f64 / 2.0,
    };
    write_rows(&run.per_class(), &[class(0, 2), class(1, 1), class(2, 1)]).unwrap();
}

fn pictures(run: &RunDir) {
    let picture = |shade: u8| [shade; PICTURE_BYTES];
    let mut galleries = GalleryImages::default();
    let put = |set: &mut PictureSet, index: usize| set.push(index, &picture(40 * index as u8));
    put(&mut galleries.misclassified, 2);
    put(&mut galleries.misclassified, 5);
    put(&mut galleries.unsure, 3);
    galleries.write(&run.gallery()).unwrap();
    // Image 2 has a map that is greatest at the lower right, image 5 one that is negative throughout.
    for method in ["gradcam", "layercam"] {
        let cam = run.cam(method).unwrap();
        let index = "row,index,true,predicted,probability,target,against,method,layer,smoothing,status\n";
        let row = |row: usize, index: usize, truth: usize| {
            format!("{row},{index},{truth},0,0.75,0,,{method},layer4,none,normal\n")
        };
        let index = index.to_owned() + &row(0, 2, 1) + &row(1, 5, 2);
        write_atomic(&cam.index(), index.as_bytes()).unwrap();
        let values: [f32; 8] = [0.0, 0.1, 0.2, 1.0, -1.0, -2.0, -3.0, -4.0];
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![2, 2, 2], &bytes).unwrap();
        fs::write(cam.raw(), safetensors::serialize([("raw", view)], None).unwrap()).unwrap();
    }
    let sheet = wick_viz::RgbImage::from_pixel(64, 32, wick_viz::image::Rgb([9, 99, 199]));
    for figure in [Figure::Augmentations, Figure::Filters] {
        wick_viz::save_png(&sheet, &run.figure(figure)).unwrap();
    }
    wick_viz::save_png(&sheet, &run.cam("layercam").unwrap().classes()).unwrap();
    let quality = |images: &str, method: &str, layer: &str| CamQualityRow {
        images: images.to_owned(),
        count: 2,
        method: method.to_owned(),
        layer: layer.to_owned(),
        flat: 0,
        deletion: 0.25,
        insertion: 0.75,
        road_most: -0.5,
        road_least: -0.125,
        road: 0.1875,
        average_drop: 0.125,
        increase: 1.0,
    };
    let rows = [quality("misclassified", "layercam", "layer4"), quality("misclassified", "random", "")];
    write_rows(&run.cam_quality(), &rows).unwrap();
}

/// From the section's start to its end.
pub fn section<'a>(html: &'a str, id: &str) -> &'a str {
    let start = html.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}"));
    let rest = &html[start..];
    &rest[..rest.find("</section>").unwrap()]
}
