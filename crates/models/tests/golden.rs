//! ResNet-18 and -34 against PyTorch in f64, on weights and images made from a counter.
//!
//! ```python
//! m = fill(ResNet(), seed).double().train()          # kuangliu's network, parameter k filled from seed + k
//! logits = m(x); loss = F.cross_entropy(logits, y); loss.backward()
//! m.eval(); m(x)                                     # with the running statistics of that one step
//! ```
//!
//! Tolerances: logits and loss 1e-4 of their scale (f32 arithmetic through the network); gradients 1e-2 of their
//! rms, since a ReLU that flips moves them more than rounding does: PyTorch's own f32 is off by 1.1e-2 of rms on
//! ResNet-34 in the worst case, and its norms by 1e-3.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

#[path = "../../../fixtures/golden/golden.rs"]
mod golden;

use std::collections::HashMap;

use candle_core::{Device, Tensor, Var};
use serde::Deserialize;
use wick_models::{Architecture, Network};

#[derive(Deserialize)]
struct Case {
    parameters: Vec<(String, Vec<usize>)>,
    train_logits: Vec<f32>,
    train_loss: f32,
    grad_l2: HashMap<String, f64>,
    grad_rms: HashMap<String, f64>,
    grad_head: HashMap<String, Vec<f64>>,
    running_l2: HashMap<String, f64>,
    #[serde(rename = "eval_logits_after_one_train_step_of_stats")]
    eval_logits: Vec<f32>,
}

fn case(name: &str) -> Case {
    let mut cases: HashMap<String, serde_json::Value> =
        serde_json::from_str(&golden::read("models.json")).unwrap();
    serde_json::from_value(cases.remove(name).unwrap()).unwrap()
}

/// Parameter `k` from `SEED + k`, in the order and the layout of PyTorch.
fn fill(network: &Network) {
    for (k, (name, var)) in network.parameters.trainable().iter().enumerate() {
        let (seed, n) = (golden::SEED + k as u64, var.elem_count());
        let values = match *var.dims() {
            [h, w, i, o] => {
                let bound = (6.0 / (i * h * w) as f64).sqrt() as f32;
                golden::oihw_to_hwio(&golden::uniform(seed, n, bound), [o, i, h, w])
            }
            [_, i] => golden::uniform(seed, n, (1.0 / i as f64).sqrt() as f32),
            _ if name.ends_with("weight") => golden::uniform(seed, n, 0.2).iter().map(|v| 1.0 + v).collect(),
            _ => golden::uniform(seed, n, 0.1),
        };
        var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
    }
}

fn images() -> Tensor {
    let x = golden::uniform(golden::SEED + 500, 4 * 3 * 32 * 32, 1.0);
    Tensor::from_vec(golden::nchw_to_nhwc(&x, [4, 3, 32, 32]), (4, 32, 32, 3), &Device::Cpu).unwrap()
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

fn check_gradient(case: &Case, name: &str, var: &Var, gradient: &Tensor) {
    assert_eq!(gradient.dims(), var.dims(), "{name}");
    let (rms, norm) = (case.grad_rms[name], case.grad_l2[name]);
    let error = (l2(gradient) / norm - 1.0).abs();
    assert!(error <= 1e-2, "{name}: norm {} instead of {norm}", l2(gradient));
    for (i, (got, want)) in as_on_disk(gradient).iter().zip(&case.grad_head[name]).enumerate() {
        let error = (f64::from(*got) - want).abs() / rms;
        assert!(error <= 1e-2, "{name}[{i}]: {got} instead of {want}, {error:e} of rms");
    }
}

fn check(architecture: Architecture, name: &str) {
    let case = case(name);
    let network = Network::new(architecture, 10, 0, &Device::Cpu).unwrap();

    let specs = architecture.parameters(10).unwrap();
    let trainable = specs.iter().filter(|s| s.role == wick_models::Role::Trainable);
    let named: Vec<_> = trainable.map(|s| (s.name.clone(), s.shape_on_disk())).collect();
    assert_eq!(named, case.parameters);
    let count = case.parameters.iter().map(|(_, shape)| shape.iter().product::<usize>() as u64).sum::<u64>();
    assert_eq!(architecture.summary(10, 32).unwrap().parameters, count);

    fill(&network);
    let x = images();
    let logits = network.model.forward_t(&x, true).unwrap();
    golden::assert_close("logits", &flat(&logits), &case.train_logits, 1e-4);
    let targets = Tensor::new(&[3u32, 8, 0, 5], &Device::Cpu).unwrap();
    let loss = wick_ops::cross_entropy(&logits, &targets, 0.0).unwrap();
    golden::assert_close("loss", &flat(&loss), &[case.train_loss], 1e-4);

    let gradients = loss.backward().unwrap();
    for (name, var) in network.parameters.trainable() {
        check_gradient(&case, &name, &var, gradients.get(&var).unwrap());
    }
    let buffers = network.parameters.buffers();
    assert_eq!(buffers.len(), case.running_l2.len());
    for (name, var) in buffers {
        let (got, want) = (l2(&var), case.running_l2[&name]);
        assert!((got / want - 1.0).abs() <= 1e-4, "{name}: norm {got} instead of {want}");
    }
    let logits = network.model.forward_t(&x, false).unwrap();
    golden::assert_close("evaluation logits", &flat(&logits), &case.eval_logits, 1e-4);
}

#[test]
fn resnet18_is_pytorchs() {
    check(Architecture::ResNet18, "resnet18_bn");
}

#[test]
fn resnet34_is_pytorchs() {
    check(Architecture::ResNet34, "resnet34_bn");
}
