//! Every stage, one after another and alone, on a run of seconds.

use std::fs;
use std::path::Path;

use wick_runs::{STAGES, Verdict};

use crate::common::{prepare, refuse, run, succeed};
use crate::drawn::maps_are_drawn_as_asked;
use crate::weights::{a_checkpoint_alone_is_enough, maps_are_of_the_judged_weights};

/// Every file that a run leaves, from its root.
const FILES: [&str; 51] = [
    "recipe.toml",
    "manifest.json",
    "summary.txt",
    "data.safetensors",
    "lr_finder.csv",
    "lr_finder.json",
    "epochs.csv",
    "timing.csv",
    "steps.csv",
    "norms.csv",
    "checkpoints/best.safetensors",
    "checkpoints/last.safetensors",
    "checkpoints/last.optim.safetensors",
    "checkpoints/last.state.json",
    "predictions.csv",
    "per_class.csv",
    "confusion.csv",
    "cam/gradcam/index.csv",
    "cam/gradcam/raw.safetensors",
    "cam/gradcam/grid.png",
    "cam/gradcam++/index.csv",
    "cam/gradcam++/raw.safetensors",
    "cam/gradcam++/grid.png",
    "cam/layercam/index.csv",
    "cam/layercam/raw.safetensors",
    "cam/layercam/grid.png",
    "cam/gradcam/classes.png",
    "cam/gradcam++/classes.png",
    "cam/layercam/classes.png",
    "cam/methods.png",
    "cam/quality.csv",
    "figures/curves.png",
    "figures/curves.svg",
    "figures/lr_finder.png",
    "figures/lr_finder.svg",
    "figures/lr_schedule.png",
    "figures/lr_schedule.svg",
    "figures/per_class.png",
    "figures/per_class.svg",
    "figures/reliability.png",
    "figures/reliability.svg",
    "figures/norms.png",
    "figures/norms.svg",
    "figures/augmentations.png",
    "figures/confusion.png",
    "figures/misclassified.png",
    "figures/unsure.png",
    "figures/filters.png",
    "gallery.safetensors",
    "claims.json",
    "report.html",
];

/// Those that a prepared run goes through; judging the methods is asked of `gradcam`.
fn stages() -> impl Iterator<Item = &'static str> {
    STAGES.into_iter().filter(|stage| !["prepare", "gradcam-evaluate"].contains(stage))
}

#[test]
fn a_run_from_beginning_to_end() {
    let root = tempfile::tempdir().unwrap();
    // Judged by two views, of which the maps see one.
    let folder = prepare(root.path(), "runs", &["evaluate.views=mirror"]);
    let at = folder.to_str().unwrap();

    // Before a stage has its input, it says which stage to run, and leaves nothing.
    for (stage, missing) in [("evaluate", "train"), ("misclassified", "evaluate"), ("claims", "train")] {
        let said = refuse(&[stage, "--run", at]);
        assert!(said.contains(&format!("`{missing}`")), "{stage}: {said}");
    }
    a_run_that_has_not_begun_has_a_schedule_to_plot(&folder);
    for stage in stages() {
        succeed(&[stage, "--run", at]);
        if stage == "gradcam" {
            methods_are_measured(&folder);
        }
    }
    for file in FILES {
        let bytes = fs::read(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert!(!bytes.is_empty(), "{file} is empty");
        if file.ends_with(".png") {
            assert!(bytes.starts_with(b"\x89PNG"), "{file}");
        }
        if file.ends_with(".svg") {
            assert!(bytes.starts_with(b"<svg ") && bytes.ends_with(b"</svg>\n"), "{file}");
        }
    }
    let epochs = fs::read_to_string(folder.join("epochs.csv")).unwrap();
    assert!(epochs.starts_with("epoch,lr,momentum,train_loss,train_accuracy,test_loss,test_accuracy\n1,"));
    assert_eq!(epochs.lines().count(), 3);

    tensorboard_has_it_all(&folder);
    exact_claims_match(&folder);
    a_report_elsewhere_is_the_same(root.path(), &folder);
    galleries_are_of_the_predictions(&folder);
    maps_explain_what_was_said(&folder);
    maps_are_drawn_as_asked(&folder);
    stages_that_are_current_are_skipped(at);
    a_checkpoint_alone_is_enough(root.path(), &folder);
    maps_are_of_the_judged_weights(root.path(), &folder);
}

/// Tags stand in event files as they are; what the files hold is for `wick-tensorboard`'s tests and checks.
fn tensorboard_has_it_all(folder: &Path) {
    let mut files: Vec<_> =
        fs::read_dir(folder.join("tb")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let [training, pictures] = &files[..] else {
        panic!("a file of the training, one of the pictures: {files:?}")
    };
    let has = |file: &Path, tag: &str| {
        let bytes = fs::read(file).unwrap();
        assert!(bytes.windows(tag.len()).any(|window| window == tag.as_bytes()), "{tag} is not in {file:?}");
    };
    for tag in ["loss/step", "loss/train", "loss/test", "accuracy/train", "accuracy/test", "norm/gradients"] {
        has(training, tag);
    }
    for tag in
        ["optimizer/learning_rate", "optimizer/momentum", "weights/layer4.1.bn2.weight", "train.batch_size"]
    {
        has(training, tag);
    }
    for tag in ["_hparams_/session_start_info", "_hparams_/session_end_info"] {
        has(training, tag);
    }
    for tag in
        ["figures/confusion", "figures/misclassified", "cam/methods", "cam/gradcam", "cam/gradcam/classes"]
    {
        has(pictures, tag);
    }
}

/// Wherever it is written, the same files make the same page; a run is not compared with itself.
fn a_report_elsewhere_is_the_same(root: &Path, folder: &Path) {
    let (at, out) = (folder.to_str().unwrap(), root.join("elsewhere.html"));
    succeed(&["report", "--run", at, "--out", out.to_str().unwrap()]);
    let page = fs::read_to_string(&out).unwrap();
    assert!(page == fs::read_to_string(folder.join("report.html")).unwrap(), "another page");
    assert!(page.contains("id=\"misclassified\"") && page.contains("test accuracy, last epoch"));
    let said = refuse(&["report", "--run", at, "--run", at, "--out", out.to_str().unwrap()]);
    assert!(said.contains("is named twice"), "{said}");
}

/// What does not depend on training is exactly what was published, even in a short run.
fn exact_claims_match(folder: &Path) {
    let claims = wick_runs::Claims::read(&folder.join("claims.json")).unwrap().claims;
    let verdict = |name: &str| {
        let claim = claims.iter().find(|c| c.name.starts_with(name));
        claim.unwrap_or_else(|| panic!("no claim {name}")).verdict.clone()
    };
    for exact in ["parameters", "multiply-adds", "forward/backward", "total", "learning rate of each epoch"] {
        assert_eq!(verdict(exact), Verdict::Matches, "{exact}");
    }
    assert!(matches!(verdict("test accuracy, last epoch"), Verdict::NotComparable { .. }));
}

/// The file of pictures holds what the galleries show, in their order, and what the maps explain.
fn galleries_are_of_the_predictions(folder: &Path) {
    let at = folder.to_str().unwrap();
    let run = wick_runs::RunDir::open(folder).unwrap();
    let predictions = wick_runs::Predictions::read(&run.predictions()).unwrap();
    let mut wrong: Vec<_> = predictions.wrong().collect();
    let by_index: Vec<usize> = wrong.iter().map(|row| row.index).take(10).collect(); // quick.toml's number
    let gallery = || wick_runs::GalleryImages::read(&run.gallery()).unwrap();
    let before = gallery();
    assert_eq!(before.misclassified.index, by_index);
    let test = wick_cifar::synthetic_dataset(0, 72, 24).test;
    for (index, picture) in before.misclassified.iter().chain(before.unsure.iter()) {
        assert_eq!(picture, test.image(index), "{index}");
    }
    let right = |index: &usize| predictions.rows.iter().any(|r| r.index == *index && r.truth == r.predicted);
    assert!(before.unsure.index.iter().all(right));

    succeed(&["misclassified", "--run", at, "--count", "2", "--order", "confidence"]);
    wrong.sort_by(|a, b| b.confidence().total_cmp(&a.confidence()));
    let surest: Vec<usize> = wrong.iter().map(|row| row.index).take(2).collect();
    assert_eq!(gallery().misclassified.index, surest);
    assert_eq!(gallery().unsure.index, before.unsure.index[..2]);
    a_method_at_a_time(folder, &gallery());
    assert!(refuse(&["misclassified", "--run", at, "--count", "0"]).contains("from 1 on"));
    succeed(&["misclassified", "--run", at]);
    assert_eq!(gallery(), before);
    succeed(&["gradcam", "--run", at]);
}

/// Each explains what the galleries show, and the page knows by which weights all of them are.
fn a_method_at_a_time(folder: &Path, gallery: &wick_runs::GalleryImages) {
    let at = folder.to_str().unwrap();
    let run = wick_runs::RunDir::open(folder).unwrap();
    let weights = wick_runs::CamWeights::of(&run.last()).unwrap();
    let shown: Vec<Option<usize>> =
        gallery.misclassified.index.iter().chain(&gallery.unsure.index).copied().map(Some).collect();
    for method in ["gradcam", "gradcam++", "layercam"] {
        succeed(&["gradcam", "--run", at, "--method", method, "--per-class", "0"]);
        let cams = run.cam(method).unwrap();
        let rows: Vec<wick_runs::CamIndexRow> = wick_runs::read_rows(&cams.index()).unwrap();
        assert_eq!(rows.iter().map(|row| row.index).collect::<Vec<_>>(), shown, "{method}");
        assert_eq!(wick_runs::CamWeights::read(&cams.raw()).unwrap().as_ref(), Some(&weights), "{method}");
    }
    let page = wick_report::page(&run).unwrap();
    assert!(page.contains("by the last epoch&#39;s weights."));
    assert!(!page.contains("weights that neither"));
}

/// By as many images of each kind as are asked for; the run keeps the table.
fn methods_are_measured(folder: &Path) {
    let evaluate = ["gradcam", "--run", folder.to_str().unwrap(), "--evaluate", "--sample", "2"];
    succeed(&[&evaluate[..], &["--method", "gradcam,eigencam"]].concat());
    let run = wick_runs::RunDir::open(folder).unwrap();
    let rows: Vec<wick_runs::CamQualityRow> = wick_runs::read_rows(&run.cam_quality()).unwrap();
    let measured: Vec<_> = rows.iter().map(|r| (r.images.as_str(), r.count, r.method.as_str())).collect();
    let methods = ["gradcam", "eigencam", "random"];
    let of = |images| methods.map(|method| (images, 2, method));
    assert_eq!(measured, [of("misclassified"), of("correct")].concat());
}

/// What is drawn is what can be: nothing is needed but what a figure shows.
fn a_run_that_has_not_begun_has_a_schedule_to_plot(folder: &Path) {
    let output = run(&["plot", "--run", folder.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("not drawn: curves, of which `train` writes"), "{said}");
    assert!(folder.join("figures/lr_schedule.svg").exists() && !folder.join("figures/curves.png").exists());
}

/// The classes and probabilities of the maps are those that `evaluate` found, and the class is the one explained.
fn maps_explain_what_was_said(folder: &Path) {
    let run = wick_runs::RunDir::open(folder).unwrap();
    let predictions = wick_runs::Predictions::read(&run.predictions()).unwrap();
    let agree = |cams: wick_runs::CamDir| {
        let rows: Vec<wick_runs::CamIndexRow> = wick_runs::read_rows(&cams.index()).unwrap();
        for row in &rows {
            let said = predictions.rows.iter().find(|said| Some(said.index) == row.index).unwrap();
            assert_eq!((row.predicted, row.target), (said.predicted, Some(said.predicted)), "{row:?}");
            assert_eq!(row.probability, said.confidence(), "{row:?}");
        }
        rows.iter().map(|row| row.index).collect::<Vec<_>>()
    };
    let galleries = agree(run.cam("gradcam").unwrap());
    assert!(galleries.len() >= 10, "{}", galleries.len());

    // Images that are named too, in the order in which they are.
    let out = tempfile::tempdir().unwrap();
    let all: Vec<String> = predictions.rows.iter().rev().map(|row| row.index.to_string()).collect();
    let (at, out) = (folder.to_str().unwrap(), out.path());
    let named = ["gradcam", "--run", at, "--method", "gradcam", "--indices", &all.join(",")];
    succeed(&[&named[..], &["--out", out.to_str().unwrap()]].concat());
    let explained = agree(wick_runs::RunDir::names_below(out).cam("gradcam").unwrap());
    assert_eq!(explained, predictions.rows.iter().rev().map(|row| Some(row.index)).collect::<Vec<_>>());
}

fn stages_that_are_current_are_skipped(at: &str) {
    for stage in stages() {
        let output = run(&[stage, "--run", at, "--skip-current"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.contains("up to date"), "{stage}: {stderr}");
    }
    // Training anew would lose what there is.
    assert!(refuse(&["train", "--run", at]).contains("--resume"));
}

#[test]
fn a_peak_that_the_range_test_finds() {
    let root = tempfile::tempdir().unwrap();
    let folder = prepare(root.path(), "runs", &["schedule.max_lr=find"]);
    let at = folder.to_str().unwrap();
    assert!(refuse(&["train", "--run", at]).contains("`find-lr`"));
    succeed(&["preview", "--run", at]); // without the schedule, which is not known yet
    let told: serde_json::Value =
        serde_json::from_str(&succeed(&["find-lr", "--run", at, "--json"])).unwrap();
    let suggested = |rule: &str| told["suggestions"][rule].as_f64().unwrap();
    let found = suggested("steepest");
    let rates = [found, suggested("valley"), suggested("minimum/10")];
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join("lr_finder.json")).unwrap()).unwrap();
    assert_eq!(report["suggestions"]["minimum/10"]["lr"], rates[2]);
    let apart = rates.iter().copied().fold(0.0, f64::max) / rates.iter().copied().fold(f64::MAX, f64::min);
    match told["advice"].as_str() {
        Some(advice) => assert!(apart > 3.0 && advice.contains("lr_finder.svg"), "{apart}: {advice}"),
        None => assert!(apart <= 3.0, "{apart}"),
    }
    for stage in ["train", "evaluate", "plot", "claims"] {
        succeed(&[stage, "--run", at]);
    }
    // The first of two epochs ends on the peak's far side; no step goes beyond it.
    let epochs = fs::read_to_string(folder.join("epochs.csv")).unwrap();
    let lr: f64 = epochs.lines().nth(1).unwrap().split(',').nth(1).unwrap().parse().unwrap();
    assert!(lr > 0.0 && lr <= found, "{lr} should not exceed {found}");
}

#[test]
fn a_range_test_by_test_loss_says_so_everywhere() {
    let root = tempfile::tempdir().unwrap();
    let by_test = ["lr_finder.loss=test", "lr_finder.sample=10"];
    for (held_out, name) in [("data.holdout=0", "test"), ("data.holdout=12", "held-out")] {
        let set = [&by_test[..], &[held_out]].concat();
        let folder = prepare(root.path(), name, &set);
        let at = folder.to_str().unwrap();
        let said = succeed(&["find-lr", "--run", at]);
        assert!(said.contains(&format!("by the {name} loss of 10 images")), "{said}");
        assert_eq!(said.contains("has seen test images"), name == "test", "{said}");
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        let report: serde_json::Value = serde_json::from_str(&read("lr_finder.json")).unwrap();
        assert_eq!(report["settings"]["loss"][name.replace('-', "_")], 10, "{report}");
        let shown =
            if name == "test" { "Test loss of 10 images over" } else { "Held-out loss of 10 images over" };
        assert!(read("figures/lr_finder.svg").contains(shown));
    }
}

#[test]
fn a_schedule_is_drawn_without_a_run() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    succeed(&["preview", "--recipe", "s11", "--out", &at("schedule.png")]);
    assert!(fs::read(at("schedule.png")).unwrap().starts_with(b"\x89PNG"));
    let half = ["--set", "schedule.max_lr=0.5", "--images", "6400", "--out"];
    succeed(&[&["preview", "--recipe", "s11"], &half[..], &[&at("schedule.svg")]].concat());
    let svg = fs::read_to_string(at("schedule.svg")).unwrap();
    assert!(
        svg.contains("s11: learning rate and momentum") && svg.contains("0.5 at step"),
        "{}",
        &svg[..600]
    );
    let said = refuse(&["preview", "--recipe", "s11", "--set", "schedule.max_lr=find"]);
    assert!(said.contains("--set schedule.max_lr=0.01"), "{said}");
    assert!(refuse(&["preview", "--recipe", "s11", "--out", &at("a.gif")]).contains(".png or .svg"));
    assert!(refuse(&["preview", "--recipe", "s11", "--images", "0"]).contains("--images 0"));
    assert!(refuse(&["preview"]).contains("--recipe"));
}
