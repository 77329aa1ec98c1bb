//! Grad-CAM end to end against pytorch-grad-cam in f64: kuangliu's ResNet-18, parameters filled from a counter, after
//! forty training-mode passes over one batch of four images.
//!
//! Tolerances: 1e-3 on layer4 and 1e-2 on layer3, of maps from 0 to 1. Both sides differ by f32 against f64 through the
//! whole network, and behind layer3 a ReLU that flips moves more than rounding does.
#![allow(clippy::unwrap_used)] // in helpers as in tests

use candle_core::Device;
use serde_json::Value;
use wick_gradcam::{Target, explain, grad_cam, heatmaps};
use wick_models::{Architecture, Mode, Network};

#[path = "../../../fixtures/golden/golden.rs"]
mod golden;
use golden::assert_close;

#[path = "../../../fixtures/golden/network.rs"]
mod network;

#[test]
fn grad_cam_of_resnet18() {
    let cpu = &Device::Cpu;
    let network = Network::new(Architecture::ResNet18, 10, 0, cpu).unwrap();
    network::fill(&network);
    let images = network::images();
    let model = network.model.as_ref();
    for _ in 0..40 {
        wick_ops::no_grad(|| model.forward_t(&images, true)).unwrap();
    }

    let golden: Value = serde_json::from_str(&golden::read("cams.json")).unwrap();
    let values = |key: &str| -> Vec<f32> {
        golden[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
    };
    let target = Target::Classes(vec![3, 8, 0, 5]);
    for (layer, tolerance) in [("layer4", 1e-3), ("layer3", 1e-2)] {
        let explanation = explain(
            &images,
            |x| wick_ops::no_grad(|| model.forward_until(x, layer, Mode::Evaluate)),
            |a| model.forward_from(a, layer, Mode::Evaluate),
            &target,
            grad_cam,
        )
        .unwrap();
        let logits: Vec<f32> = explanation.logits.flatten_all().unwrap().to_vec1().unwrap();
        assert_close("logits", &logits, &values("logits"), 1e-4);
        let maps = heatmaps(&explanation.raw, 32, 32).unwrap();
        let first_two: Vec<f32> = maps[..2].iter().flat_map(|map| map.values.clone()).collect();
        assert_close(layer, &first_two, &values(&format!("GradCAM_{layer}")), tolerance);
    }
}
