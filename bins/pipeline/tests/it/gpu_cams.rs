//! Maps of `gradcam --device cuda` beside those of `--device cpu`, by every method. Without a GPU there is nothing to test here.
#![allow(clippy::print_stdout)] // why nothing was tested

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use wick_gradcam::{Method, Needs};
use wick_models::{Architecture, Metadata, Network};
use wick_runs::{CamIndexRow, RunDir, read_rows};
use wick_train::gpu::CudaError;
use wick_train::{Determinism, TrainError, Wanted};

use crate::common::succeed;
use crate::network;

/// One of each kind: a ResNet with batch norm, one with norms of each image, max pools with rectifiers, and with GELU.
const NETWORKS: [Architecture; 4] =
    [Architecture::ResNet18, Architecture::ResNet18Ln, Architecture::CustomResNet, Architecture::Speedrun];

/// Of its norm: a map is a sum of products of activations and gradients, and a rectifier that flips moves these by 1e-2 of theirs
/// (`wick-train`'s `tests/cuts.rs`). Rounding alone moves maps by 1e-5, and by 3e-4 where XGradCAM divides by sums of activations that
/// nearly cancel behind GELU.
const TOLERANCE: f64 = 2e-2;

#[test]
fn maps_of_a_gpu_are_the_cpus() {
    match Wanted::Cuda(0).open(None, Determinism::Required) {
        Ok(_) => {}
        Err(TrainError::Cuda(error @ (CudaError::NoLibrary { .. } | CudaError::NoDevice { .. }))) => {
            println!("not run: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    }
    let broken: Vec<String> =
        NETWORKS.into_iter().flat_map(|architecture| compared(architecture, ["cpu", "cuda"])).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// What two devices make of the same weights and images: the maps that are too far from each other.
fn compared(architecture: Architecture, devices: [&str; 2]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let [weights, data] = ["weights.safetensors", "data"].map(|name| folder.path().join(name));
    let network = Network::new(architecture, 10, 0, &Device::Cpu).unwrap();
    network::fill(&network);
    network.save(&weights, &Metadata::default()).unwrap();
    wick_cifar::write_folder(&wick_cifar::synthetic_dataset(0, 10, 10), &data).unwrap();
    // A forward pass a channel costs a CPU minutes, but where channels are few.
    let takes =
        |method: &Method| method.needs() != Needs::ForwardPasses || architecture == Architecture::Speedrun;
    let methods: Vec<Method> = Method::ALL.into_iter().filter(takes).collect();
    let names = methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(",");
    let layers = network.model.layers().join(",");
    let [want, got] = devices.map(|device| {
        let out = folder.path().join(device);
        let [weights, data, out_of] = [&weights, &data, &out].map(|path| path.to_str().unwrap());
        succeed(&[
            "gradcam",
            "--checkpoint",
            weights,
            "--data",
            data,
            "--out",
            out_of,
            "--indices",
            "0,7",
            "--method",
            &names,
            "--layer",
            &layers,
            "--device",
            device,
            "--deterministic",
            "--quiet",
        ]);
        out
    });
    let mut broken = Vec::new();
    for method in methods {
        let [want, got] = [&want, &got].map(|out| Maps::read(out, method));
        assert_eq!(got.predicted, want.predicted, "{architecture}, {method}");
        assert_eq!(got.raw.keys().collect::<Vec<_>>(), want.raw.keys().collect::<Vec<_>>());
        for (layer, want) in &want.raw {
            let error = distance(&got.raw[layer], want);
            let what = format!("{architecture}, {layer}, {method}: {error:.1e}");
            println!("{what}");
            broken.extend((error.is_nan() || error > TOLERANCE).then_some(what));
        }
    }
    broken
}

/// What a method left.
struct Maps {
    /// Of each map its image and what that is taken for.
    predicted: Vec<(Option<usize>, usize)>,
    /// By layer.
    raw: BTreeMap<String, Tensor>,
}

impl Maps {
    fn read(out: &Path, method: Method) -> Self {
        let folder = RunDir::names_below(out).cam(method.name()).unwrap();
        let rows: Vec<CamIndexRow> = read_rows(&folder.index()).unwrap();
        let predicted = rows.iter().map(|row| (row.index, row.predicted)).collect();
        let mut raw: BTreeMap<_, _> =
            candle_core::safetensors::load(folder.raw(), &Device::Cpu).unwrap().into_iter().collect();
        raw.remove("heatmap");
        assert!(!raw.is_empty(), "{method}");
        Self { predicted, raw }
    }
}

/// The norm of the difference over the norm of what was expected.
fn distance(got: &Tensor, want: &Tensor) -> f64 {
    let norm = |t: &Tensor| t.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
    assert_eq!(got.dims(), want.dims());
    f64::from(norm(&(got - want).unwrap()) / norm(want))
}
