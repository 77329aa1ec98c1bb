//! Weights other than a run's last: from a file, or from its best epoch.

use std::fs;
use std::path::Path;

use candle_core::Device;
use wick_runs::{CamIndexRow, CamSmoothing, CamStatus, RunDir, read_rows};

use crate::common::{refuse, run, succeed};

pub fn a_checkpoint_alone_is_enough(root: &Path, folder: &Path) {
    let weights = folder.join("checkpoints/last.safetensors");
    let (weights, out) = (weights.to_str().unwrap(), root.join("out"));
    let photo = root.join("photo.png");
    fs::copy(folder.join("figures/curves.png"), &photo).unwrap(); // any picture of another size
    let png = root.join("cam.png");
    let (photo, png) = (photo.to_str().unwrap(), png.to_str().unwrap());
    let output = run(&["gradcam", "--checkpoint", weights, "--image", photo, "--out", png]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("resized to 32×32"));
    assert!(fs::read(png).unwrap().starts_with(b"\x89PNG"));

    // The same of a run, and nothing is quietly ignored.
    let at = folder.to_str().unwrap();
    succeed(&["gradcam", "--run", at, "--image", photo, "--out", png]);
    let kept = fs::read(folder.join("cam/gradcam/index.csv")).unwrap();
    let apart = root.join("apart");
    succeed(&[
        "gradcam",
        "--run",
        at,
        "--indices",
        "1",
        "--method",
        "gradcam",
        "--out",
        apart.to_str().unwrap(),
    ]);
    assert!(apart.join("cam/gradcam/grid.png").exists() && !apart.join("cam/gradcam/classes.png").exists());
    assert_eq!(fs::read(folder.join("cam/gradcam/index.csv")).unwrap(), kept, "what the run keeps stays");
    assert!(refuse(&["gradcam", "--run", at, "--indices", "1,1"]).contains("image 1 twice"));
    assert!(refuse(&["gradcam", "--run", at, "--image", photo, "--out", "cam.gif"]).contains(".png"));
    refuse(&["evaluate", "--run", at, "--out", png]);

    // The run's own images, as files that other programs could have written.
    let data = root.join("data");
    wick_cifar::write_folder(&wick_cifar::synthetic_dataset(0, 72, 24), &data).unwrap();
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let told = succeed(&["evaluate", "--checkpoint", weights, "--data", data, "--out", out, "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["images"], 24);
    let same =
        |file: &str| fs::read(Path::new(out).join(file)).unwrap() == fs::read(folder.join(file)).unwrap();
    assert!(same("confusion.csv"));
    succeed(&["gradcam", "--checkpoint", weights, "--data", data, "--out", out, "--indices", "0,3"]);
    assert!(Path::new(out).join("cam/gradcam/grid.png").exists());

    // Several methods and layers side by side, a difference, smoothed; and how well one method explains.
    let base =
        ["gradcam", "--checkpoint", weights, "--data", data, "--out", out, "--indices", "0,3", "--json"];
    let more = [
        "--method",
        "layercam,eigencam,guided-backprop",
        "--layer",
        "layer3,layer3+layer4",
        "--smooth",
        "eigen",
        "--target",
        "0-1",
    ];
    let told: serde_json::Value = serde_json::from_str(&succeed(&[&base[..], &more[..]].concat())).unwrap();
    assert_eq!(told["layers"], serde_json::json!(["layer3", "layer3+layer4"]));
    assert_eq!(told["methods"][1]["method"], "eigencam");
    assert_eq!(told["methods"][0]["maps"][1]["index"], 3);
    assert_eq!(told["methods"][0]["maps"][3]["layer"], "layer3+layer4");
    assert!(Path::new(out).join("cam/methods.png").exists());
    maps_say_what_they_are(&Path::new(out).join("cam"));
    let evaluate = [&base[..], &["--evaluate", "--method", "gradcam"]].concat();
    let told: serde_json::Value = serde_json::from_str(&succeed(&evaluate)).unwrap();
    let rows: Vec<wick_runs::CamQualityRow> = read_rows(&Path::new(out).join("cam/quality.csv")).unwrap();
    let methods: Vec<&str> = rows.iter().map(|r| r.method.as_str()).collect();
    assert_eq!(methods, ["gradcam", "random"]);
    assert_eq!(told["quality"][0]["deletion"].as_f64(), Some(rows[0].deletion));
    assert!(rows.iter().all(|r| r.count == 2 && (0.0..=1.0).contains(&r.insertion) && r.images == "chosen"));
    let difference = [&base[..], &["--evaluate", "--target", "0-1"]].concat();
    assert!(refuse(&difference).contains("name one class"));

    // The galleries are those of the run, whose predictions these are.
    let galleries = root.join("galleries");
    let out = galleries.to_str().unwrap();
    let told = succeed(&[
        "misclassified",
        "--checkpoint",
        weights,
        "--data",
        data,
        "--count",
        "10",
        "--out",
        out,
        "--json",
    ]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["written"].as_array().unwrap().len(), 3);
    let of = |folder: &Path| {
        let run = RunDir::names_below(folder);
        wick_runs::GalleryImages::read(&run.gallery()).unwrap()
    };
    let (own, kept) = (of(&galleries), of(folder));
    assert!(own.misclassified.index.starts_with(&kept.misclassified.index), "{:?}", own.misclassified.index);
    assert_eq!((own.unsure, own.class_mean), (kept.unsure, kept.class_mean));
    assert!(galleries.join("figures/misclassified.png").exists());
    assert!(refuse(&["misclassified", "--checkpoint", weights]).contains("--data"));
    refuse(&["misclassified", "--run", at, "--out", out]);
}

/// Of each map its layer, its classes, its smoothing and what became of it; and as many maps as are said to be there.
fn maps_say_what_they_are(cam: &Path) {
    let rows = |method: &str| -> Vec<CamIndexRow> { read_rows(&cam.join(method).join("index.csv")).unwrap() };
    let layercam = rows("layercam");
    let places: Vec<_> = layercam.iter().map(|row| (row.row, row.index, row.layer.as_str())).collect();
    let expected = [
        (0, Some(0), "layer3"),
        (1, Some(3), "layer3"),
        (2, Some(0), "layer3+layer4"),
        (3, Some(3), "layer3+layer4"),
    ];
    assert_eq!(places, expected);
    for row in &layercam {
        assert_eq!((row.target, row.against, row.smoothing), (Some(0), Some(1), CamSmoothing::Eigen));
    }
    // Eigen-CAM asks for no class, and is a principal component anyway; guided backpropagation looks at the image.
    for row in rows("eigencam") {
        assert_eq!((row.target, row.against, row.smoothing), (None, None, CamSmoothing::None));
    }
    let guided = rows("guided-backprop");
    assert_eq!(guided.iter().map(|row| row.layer.as_str()).collect::<Vec<_>>(), ["input", "input"]);
    assert!(guided.iter().all(|row| row.target == Some(0) && row.against == Some(1)));

    let tensors = candle_core::safetensors::load(cam.join("layercam/raw.safetensors"), &Device::Cpu);
    let tensors = tensors.unwrap();
    let dims = |name: &str| tensors[name].dims().to_vec();
    assert_eq!((dims("heatmap"), tensors.contains_key("raw")), (vec![4, 32, 32], false));
    assert_eq!((dims("layer3"), dims("layer4")), (vec![2, 8, 8], vec![2, 4, 4]));
    let heatmaps: Vec<Vec<f32>> = tensors["heatmap"].flatten_from(1).unwrap().to_vec2().unwrap();
    for (row, map) in layercam.iter().zip(&heatmaps) {
        let is_flat = map.iter().all(|v| *v == map[0]);
        assert_eq!(is_flat, row.status != CamStatus::Normal, "{row:?}");
    }
}

/// What a run keeps is all of the same weights: maps of others are refused, or kept apart and of images judged by these.
pub fn maps_are_of_the_judged_weights(root: &Path, folder: &Path) {
    let at = folder.to_str().unwrap();
    let dir = RunDir::open(folder).unwrap();
    // Other weights than the run's last: those of a network that has learnt nothing.
    let network =
        wick_models::Network::new(wick_models::Architecture::ResNet18, 10, 9, &Device::Cpu).unwrap();
    let kept = fs::read(dir.best()).unwrap();
    network.save(&dir.best(), &wick_models::Metadata::default()).unwrap();
    let best = ["--run", at, "--weights", "best"];
    for stage in ["gradcam", "misclassified"] {
        let said = refuse(&[&[stage], &best[..]].concat());
        assert!(said.contains("predictions.csv is not of ") && said.contains("`evaluate`"), "{said}");
    }
    assert!(refuse(&[&["gradcam", "--evaluate"], &best[..]].concat()).contains("those of other weights"));

    let out = root.join("best");
    let apart = ["--method", "gradcam", "--per-class", "0", "--out", out.to_str().unwrap()];
    let output = run(&[&["gradcam"], &best[..], &apart[..]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.contains("judged anew"), "{stderr}");
    let rows: Vec<CamIndexRow> = read_rows(&out.join("cam/gradcam/index.csv")).unwrap();
    assert!(!rows.is_empty());
    for row in &rows {
        assert_ne!(row.truth, Some(row.predicted), "explained as misclassified: {row:?}");
    }

    succeed(&[&["evaluate"], &best[..]].concat());
    succeed(&[&["gradcam", "--method", "gradcam", "--per-class", "0"], &best[..]].concat());
    let said = refuse(&["gradcam", "--run", at]);
    assert!(said.contains("last.safetensors"), "{said}");
    let predictions = wick_runs::Predictions::read(&dir.predictions()).unwrap();
    let rows: Vec<CamIndexRow> = read_rows(&dir.cam("gradcam").unwrap().index()).unwrap();
    for row in &rows {
        let judged = predictions.rows.iter().find(|judged| Some(judged.index) == row.index).unwrap();
        assert_eq!(row.predicted, judged.predicted, "{row:?}");
    }
    fs::write(dir.best(), kept).unwrap();
    succeed(&["evaluate", "--run", at]);
}
