//! A `.pth` file of PyTorch's, explained from the command line, against pytorch-grad-cam: see `fixtures/golden/pytorch_file.py`.
//!
//! Tolerances: 1e-4 on probabilities, which f32 and the order of sums leave through eighteen layers; 1e-2 on layer3's map, which is
//! from 0 to 1, since behind it a rectifier that flips moves more than rounding does (as in `golden_cams`).

use std::path::Path;

use candle_core::{Device, safetensors};
use serde_json::Value;
use wick_cifar::{Dataset, Split, Variant};
use wick_runs::{CamIndexRow, CamStatus, RunDir};

use crate::common::succeed;
use crate::golden::{self, assert_close};

/// The script's images, channels last: a sawtooth, and a bright square that lies elsewhere in each.
fn images(n: usize) -> Vec<u8> {
    let value = |i: usize, row: usize, column: usize, c: usize| {
        let (top, left) = ((5 * i) % 20, (11 * i) % 20);
        let square = (top..top + 12).contains(&row) && (left..left + 12).contains(&column);
        if square { 255 - 40 * c } else { (7 * row + 3 * column + 85 * c + 31 * i) % 256 }
    };
    let places = (0..n * 32 * 32 * 3).map(|at| (at / 3072, at / 96 % 32, at / 3 % 32, at % 3));
    places.map(|(i, row, column, c)| value(i, row, column, c) as u8).collect()
}

fn values(golden: &Value, key: &str) -> Vec<f32> {
    golden[key]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|v| v.as_f64().unwrap() as f32)
        .collect()
}

#[test]
fn a_file_of_pytorchs_is_explained_as_pytorch_grad_cam_does() {
    let golden: Value = serde_json::from_str(&golden::read("pytorch_file.json")).unwrap();
    let (probabilities, maps) = (values(&golden, "probabilities"), values(&golden, "layercam_layer3_cat"));
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden/resnet18.pth");
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let split = |n: usize| Split::new(images(n), vec![3; n]).unwrap();
    let dataset = Dataset {
        variant: Variant::Cifar10,
        class_names: Variant::Cifar10.class_names(),
        train: split(5),
        test: split(2),
    };
    wick_cifar::write_folder(&dataset, at("data").as_ref()).unwrap();
    let how = ["--method", "layercam", "--layer", "layer3", "--target", "cat", "--json"];
    let base = ["gradcam", "--checkpoint", weights.to_str().unwrap()];

    let data = ["--data", &at("data"), "--indices", "0,1", "--out", &at("out")];
    succeed(&[&base[..], &how[..], &data[..]].concat());
    let cam = RunDir::names_below(at("out").as_ref()).cam("layercam").unwrap();
    let rows: Vec<CamIndexRow> = wick_runs::read_rows(&cam.index()).unwrap();
    assert_eq!(rows.len(), 2);
    for (row, probabilities) in rows.iter().zip(probabilities.chunks(10)) {
        assert_eq!((row.predicted, row.target, row.status), (5, Some(3), CamStatus::Normal));
        assert_close("probability", &[row.probability], &probabilities[5..6], 1e-4);
    }
    let tensors = safetensors::load(cam.raw(), &Device::Cpu).unwrap();
    let drawn: Vec<f32> = tensors["heatmap"].flatten_all().unwrap().to_vec1().unwrap();
    assert_close("layercam at layer3 for cat", &drawn, &maps, 1e-2);

    // The same image as a photo.
    let photo = wick_viz::RgbImage::from_raw(32, 32, images(1)).unwrap();
    wick_viz::save_png(&photo, at("photo.png").as_ref()).unwrap();
    let image = ["--image", &at("photo.png"), "--out", &at("cam.png")];
    let told: Value = serde_json::from_str(&succeed(&[&base[..], &how[..], &image[..]].concat())).unwrap();
    assert_eq!((told["predicted"].as_str(), told["target"].as_str()), (Some("dog"), Some("cat")));
    assert_close("probability", &[told["probability"].as_f64().unwrap() as f32], &probabilities[5..6], 1e-4);
    assert_eq!(told["methods"][0]["maps"][0]["status"], "normal");
    let picture = wick_viz::read_image(at("cam.png").as_ref()).unwrap();
    assert!(picture.width() > 3 * 128 && picture.height() > 128, "{:?}", picture.dimensions());
}
