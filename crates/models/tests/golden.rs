//! Every network against PyTorch in f64, on weights and images made from a counter.
//!
//! ```python
//! m = fill(ResNet(), seed).double().train()          # for instance kuangliu's, parameter k filled from seed + k
//! logits = m(x); loss = F.cross_entropy(logits, y); loss.backward()
//! m.eval(); m(x)                                     # with the running statistics of that one step
//! ```
//!
//! Tolerances: see `Tolerance`. PyTorch's own f32 is off by 1.1e-2 of a gradient's rms on ResNet-34 in the worst case, and by
//! 1.4e-2 on the layer-normalised ResNet-18, its norms by 1e-3: a ReLU that flips moves gradients more than rounding
//! does. Where none does, it is off by 1e-5.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

#[path = "../../../fixtures/golden/golden.rs"]
mod golden;
#[path = "../../../fixtures/golden/network.rs"]
mod network;

use std::collections::HashMap;

use candle_core::{Device, Tensor, Var};
use serde::Deserialize;
use wick_models::{Architecture, Network, Role};

/// How far from PyTorch's f64 the f32 of this crate may be.
#[derive(Clone, Copy)]
struct Tolerance {
    /// Logits and loss, of their scale; running statistics, of their norm.
    values: f32,
    /// A gradient's norm, of itself.
    norm: f64,
    /// Single values of a gradient, of its rms.
    gradient: f64,
}

/// Rounding through the network alone moves logits by 3e-6; gradients have to bear with a flipped ReLU.
const RELU: Tolerance = Tolerance { values: 1e-4, norm: 1e-2, gradient: 1e-2 };
/// Nothing has a kink but max-pooling, which needs two values within rounding of each other to choose another.
const GELU: Tolerance = Tolerance { values: 2e-5, norm: 2e-5, gradient: 2e-4 };

#[derive(Deserialize)]
struct Case {
    parameters: Vec<(String, Vec<usize>)>,
    train_logits: Vec<f32>,
    train_loss: f32,
    grad_l2: HashMap<String, f64>,
    grad_rms: HashMap<String, f64>,
    grad_head: HashMap<String, Vec<f64>>,
    #[serde(default)] // a network without running statistics has none
    running_l2: HashMap<String, f64>,
    #[serde(rename = "eval_logits_after_one_train_step_of_stats")]
    eval_logits: Vec<f32>,
}

fn case(name: &str) -> Case {
    let mut cases: HashMap<String, serde_json::Value> =
        serde_json::from_str(&golden::read("models.json")).unwrap();
    serde_json::from_value(cases.remove(name).unwrap()).unwrap()
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn l2(t: &Tensor) -> f64 {
    flat(t).iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

/// A gradient in the order of PyTorch's memory: filters as `(O, I, KH, KW)`.
fn as_on_disk(t: &Tensor) -> Vec<f32> {
    flat(&if t.rank() == 4 { t.permute((3, 2, 0, 1)).unwrap() } else { t.clone() })
}

fn check_gradient(case: &Case, name: &str, var: &Var, gradient: &Tensor, tolerance: Tolerance) {
    assert_eq!(gradient.dims(), var.dims(), "{name}");
    let (rms, norm) = (case.grad_rms[name], case.grad_l2[name]);
    let error = (l2(gradient) / norm - 1.0).abs();
    assert!(error <= tolerance.norm, "{name}: norm {} instead of {norm}", l2(gradient));
    for (i, (got, want)) in as_on_disk(gradient).iter().zip(&case.grad_head[name]).enumerate() {
        let error = (f64::from(*got) - want).abs() / rms;
        assert!(error <= tolerance.gradient, "{name}[{i}]: {got} instead of {want}, {error:e} of rms");
    }
}

fn check(architecture: Architecture, name: &str, tolerance: Tolerance) {
    let case = case(name);
    let network = Network::new(architecture, 10, 0, &Device::Cpu).unwrap();

    let specs = architecture.parameters(10).unwrap();
    let named = specs.iter().filter(|s| s.role != Role::Statistic);
    let named: Vec<_> = named.map(|s| (s.name.clone(), s.shape_on_disk())).collect();
    assert_eq!(named, case.parameters);
    let count = case.parameters.iter().map(|(_, shape)| shape.iter().product::<usize>() as u64).sum::<u64>();
    assert_eq!(architecture.summary(10, 32).unwrap().parameters, count);

    network::fill(&network);
    let x = network::images();
    let logits = network.model.forward_t(&x, true).unwrap();
    golden::assert_close("logits", &flat(&logits), &case.train_logits, tolerance.values);
    let targets = Tensor::new(&[3u32, 8, 0, 5], &Device::Cpu).unwrap();
    let loss = wick_ops::cross_entropy(&logits, &targets, 0.0).unwrap();
    golden::assert_close("loss", &flat(&loss), &[case.train_loss], tolerance.values);

    let gradients = loss.backward().unwrap();
    let trainable = network.parameters.trainable();
    assert_eq!(trainable.len(), case.grad_l2.len());
    for (name, var) in trainable {
        check_gradient(&case, &name, &var, gradients.get(&var).unwrap(), tolerance);
    }
    // What is frozen has no gradient, in PyTorch and here.
    for (name, var) in network.parameters.frozen() {
        assert!(!case.grad_l2.contains_key(&name) && gradients.get(&var).is_none(), "{name}");
    }
    let buffers = network.parameters.buffers();
    assert_eq!(buffers.len(), case.running_l2.len());
    for (name, var) in buffers {
        let (got, want) = (l2(&var), case.running_l2[&name]);
        let error = (got / want - 1.0).abs();
        assert!(error <= f64::from(tolerance.values), "{name}: norm {got} instead of {want}");
    }
    let logits = network.model.forward_t(&x, false).unwrap();
    golden::assert_close("evaluation logits", &flat(&logits), &case.eval_logits, tolerance.values);
}

#[test]
fn resnet18_is_pytorchs() {
    check(Architecture::ResNet18, "resnet18_bn", RELU);
}

#[test]
fn resnet34_is_pytorchs() {
    check(Architecture::ResNet34, "resnet34_bn", RELU);
}

#[test]
fn resnet18_ln_is_pytorchs() {
    check(Architecture::ResNet18Ln, "resnet18_ln_layer4_stride1", RELU);
}

#[test]
fn custom_resnet_is_pytorchs() {
    check(Architecture::CustomResNet, "custom_resnet", RELU);
}

#[test]
fn speedrun_is_pytorchs() {
    check(Architecture::Speedrun, "speedrun", GELU);
}

/// `(24, 3, 2, 2)` filters of 64 images, `uniform(seed + 700, 64·3·32·32)`: f64 on both sides, rounded to f32 at the end.
#[test]
fn whitening_filters_are_pytorchs_up_to_sign() {
    let mut cases: HashMap<String, serde_json::Value> =
        serde_json::from_str(&golden::read("models.json")).unwrap();
    let case = cases.remove("whitening").unwrap();
    let want: Vec<f32> = serde_json::from_value(case["filters_up_to_sign"].clone()).unwrap();
    let x = golden::uniform(golden::SEED + 700, 64 * 3 * 32 * 32, 1.0);
    let x = golden::nchw_to_nhwc(&x, [64, 3, 32, 32]);
    let x = Tensor::from_vec(x, (64, 32, 32, 3), &Device::Cpu).unwrap();
    let got = as_on_disk(&wick_models::whitening_filters(&x, 5e-4).unwrap());
    assert_eq!(got.len(), want.len());
    for (k, (got, want)) in got.chunks(12).zip(want.chunks(12)).enumerate() {
        let same = got.iter().zip(want).map(|(g, w)| g * w).sum::<f32>().signum();
        let want: Vec<f32> = want.iter().map(|v| same * v).collect();
        golden::assert_close(&format!("filter {k}"), got, &want, 1e-6);
    }
}
