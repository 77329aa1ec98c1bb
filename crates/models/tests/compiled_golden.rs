//! Compiled networks against PyTorch in f64, as `golden.rs` has it for candle's autograd: the same cases.
//!
//! Gradients bear with flipped ReLUs, where there are any: PyTorch's own f32 is off by 1.1e-2 of a gradient's rms on ResNet-34
//! and by 1.4e-2 on the layer-normalised ResNet-18.
#![allow(clippy::unwrap_used)] // in helpers as in tests

#[path = "../../../fixtures/golden/golden.rs"]
mod golden;
#[path = "../../../fixtures/golden/network.rs"]
mod network;

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use serde::Deserialize;
use wick_models::{Algorithm, Architecture, CompileOptions, Compiled, Network};

#[derive(Deserialize)]
struct Case {
    train_logits: Vec<f32>,
    train_loss: f32,
    grad_l2: HashMap<String, f64>,
    grad_rms: HashMap<String, f64>,
    grad_head: HashMap<String, Vec<f64>>,
    #[serde(default)]
    running_l2: HashMap<String, f64>,
    #[serde(rename = "eval_logits_after_one_train_step_of_stats")]
    eval_logits: Vec<f32>,
}

fn l2(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

fn flat(t: &Tensor) -> Vec<f32> {
    // Filters as PyTorch's memory has them.
    let t = if t.rank() == 4 { t.permute((3, 2, 0, 1)).unwrap() } else { t.clone() };
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn check(architecture: Architecture, name: &str, tolerance: f64) {
    let mut cases: HashMap<String, serde_json::Value> =
        serde_json::from_str(&golden::read("models.json")).unwrap();
    let case: Case = serde_json::from_value(cases.remove(name).unwrap()).unwrap();
    let network = Network::new(architecture, 10, 0, &Device::Cpu).unwrap();
    network::fill(&network);
    let images = network::images();
    let options = CompileOptions { algorithm: Algorithm::Direct, ..CompileOptions::default() };
    let mut compiled = Compiled::new(&network, options).unwrap();
    let step = compiled.training_step(&images, &[3, 8, 0, 5], 0.0).unwrap();
    golden::assert_close("logits", step.logits, &case.train_logits, 1e-4);
    golden::assert_close("loss", &[step.loss], &[case.train_loss], 1e-4);
    for (name, norm) in &case.grad_l2 {
        let variable = network.parameters.get(name).unwrap();
        let gradient = flat(step.gradients.get(&variable).unwrap());
        assert!(
            (l2(&gradient) / norm - 1.0).abs() <= tolerance,
            "{name}: norm {} instead of {norm}",
            l2(&gradient)
        );
        for (i, (got, want)) in gradient.iter().zip(&case.grad_head[name]).enumerate() {
            let error = (f64::from(*got) - want).abs() / case.grad_rms[name];
            assert!(error <= tolerance, "{name}[{i}]: {got} instead of {want}, {error:e} of rms");
        }
    }
    let buffers = network.parameters.buffers();
    assert_eq!(buffers.len(), case.running_l2.len());
    for (name, var) in buffers {
        let (got, want) = (l2(&flat(&var)), case.running_l2[&name]);
        assert!((got / want - 1.0).abs() <= 1e-4, "{name}: norm {got} instead of {want}");
    }
    golden::assert_close("evaluation", compiled.logits(&images).unwrap(), &case.eval_logits, 1e-4);
}

#[test]
fn resnet18_compiled_is_pytorchs() {
    check(Architecture::ResNet18, "resnet18_bn", 1e-2);
}

#[test]
fn resnet34_compiled_is_pytorchs() {
    check(Architecture::ResNet34, "resnet34_bn", 1e-2);
}

#[test]
fn resnet18_ln_compiled_is_pytorchs() {
    check(Architecture::ResNet18Ln, "resnet18_ln_layer4_stride1", 2e-2);
}

#[test]
fn custom_resnet_compiled_is_pytorchs() {
    check(Architecture::CustomResNet, "custom_resnet", 1e-2);
}

#[test]
fn speedrun_compiled_is_pytorchs() {
    check(Architecture::Speedrun, "speedrun", 2e-4);
}
