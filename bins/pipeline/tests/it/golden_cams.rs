//! Class activation maps end to end against pytorch-grad-cam in f64: kuangliu's ResNet-18, parameters filled from a counter,
//! after forty training-mode passes over one batch of four images.
//!
//! Tolerances: 1e-3 on layer4 and 1e-2 on layer3, of maps from 0 to 1. Both sides differ by f32 against f64 through the
//! whole network, and behind layer3 a ReLU that flips moves more than rounding does.

use std::cell::RefCell;

use candle_core::{Device, Tensor};
use serde_json::Value;
use wick_gradcam::{CamOptions, Heatmap, Layer, Method, Target, explain_with, heatmaps};
use wick_models::{Architecture, CompileOptions, Mode, Network, Trunk};

use crate::golden::{self, assert_close};
use crate::network;

/// The methods that pytorch-grad-cam has values of, by its names. The sign of the last two's maps is open there.
const METHODS: [(Method, &str); 7] = [
    (Method::GradCam, "GradCAM"),
    (Method::GradCamPlusPlus, "GradCAMPlusPlus"),
    (Method::HiResCam, "HiResCAM"),
    (Method::LayerCam, "LayerCAM"),
    (Method::XGradCam, "XGradCAM"),
    (Method::EigenCam, "EigenCAM"),
    (Method::EigenGradCam, "EigenGradCAM"),
];

/// The network that pytorch-grad-cam explained.
fn trained() -> Network {
    let network = Network::new(Architecture::ResNet18, 10, 0, &Device::Cpu).unwrap();
    network::fill(&network);
    let images = network::images();
    for _ in 0..40 {
        wick_ops::no_grad(|| network.model.forward_t(&images, true)).unwrap();
    }
    network
}

/// All methods at `layer`, whose activations are `features`.
fn check(
    network: &Network,
    (layer, tolerance): (&str, f32),
    features: impl Fn(&Tensor) -> candle_core::Result<Tensor>,
) {
    let golden: Value = serde_json::from_str(&golden::read("cams.json")).unwrap();
    let values = |key: &str| -> Vec<f32> {
        golden[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
    };
    let head = |a: &Tensor| network.model.forward_from(a, layer, Mode::Evaluate);
    let layers = [Layer::new(layer, features, head)];
    let target = Target::Classes(vec![3, 8, 0, 5]);
    for (method, name) in METHODS {
        let explained =
            explain_with(method, &network::images(), &layers, &target, &CamOptions::default()).unwrap();
        let logits: Vec<f32> = explained.logits.flatten_all().unwrap().to_vec1().unwrap();
        assert_close("logits", &logits, &values("logits"), 1e-4);
        let case = format!("{name}_{layer}");
        let negated = heatmaps(&explained.raw[0].neg().unwrap(), 32, 32).unwrap();
        let wanted = values(&case);
        for (image, want) in wanted.chunks(32 * 32).enumerate() {
            let map = &explained.heatmaps[image];
            let negated = &negated[image];
            let signless = matches!(method, Method::EigenCam | Method::EigenGradCam);
            let map = if signless && distance(negated, want) < distance(map, want) { negated } else { map };
            assert_close(&case, &map.values, want, tolerance);
        }
    }
}

#[test]
fn methods_on_resnet18() {
    let network = trained();
    for (layer, tolerance) in [("layer4", 1e-3), ("layer3", 1e-2)] {
        check(&network, (layer, tolerance), |x: &Tensor| {
            wick_ops::no_grad(|| network.model.forward_until(x, layer, Mode::Evaluate))
        });
    }
}

/// As `gradcam` explains a layer: by what the compiled network leaves there.
#[test]
fn methods_on_compiled_layers() {
    let network = trained();
    for (layer, tolerance) in [("layer4", 1e-3), ("layer3", 1e-2)] {
        let trunk = RefCell::new(Trunk::new(&network, layer, CompileOptions::default()).unwrap());
        check(&network, (layer, tolerance), |x: &Tensor| {
            trunk.borrow_mut().map(x).map_err(candle_core::Error::wrap)
        });
    }
}

fn distance(map: &Heatmap, want: &[f32]) -> f32 {
    map.values.iter().zip(want).map(|(a, b)| (a - b).abs()).sum()
}
