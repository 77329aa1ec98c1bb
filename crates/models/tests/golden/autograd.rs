//! By candle's autograd.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use wick_models::{Architecture, Network, Role};

use super::case::{self, DEEP_GRADIENTS, GRADIENTS, SMOOTH_GRADIENTS, TARGETS, VALUES, as_on_disk, flat};
use super::{golden, network};

fn check(architecture: Architecture, name: &str, tolerance: f64) {
    let case = case::read(name);
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
    let targets = Tensor::new(&TARGETS, &Device::Cpu).unwrap();
    let loss = wick_ops::cross_entropy(&logits, &targets, 0.0).unwrap();
    case.check_logits(&flat(&logits), loss.to_scalar().unwrap());

    let gradients = loss.backward().unwrap();
    let trainable = network.parameters.trainable();
    assert_eq!(trainable.len(), case.grad_l2.len());
    let found = trainable.into_iter().map(|(name, var)| {
        let gradient = gradients.get(&var).unwrap();
        assert_eq!(gradient.dims(), var.dims(), "{name}");
        (name, as_on_disk(gradient))
    });
    let found: HashMap<_, _> = found.collect();
    case.check_gradients(tolerance, |name| found[name].clone());
    // What is frozen has no gradient, in PyTorch and here.
    for (name, var) in network.parameters.frozen() {
        assert!(!case.grad_l2.contains_key(&name) && gradients.get(&var).is_none(), "{name}");
    }
    case.check_running_statistics(&network);
    let logits = network.model.forward_t(&x, false).unwrap();
    golden::assert_close("evaluation logits", &flat(&logits), &case.eval_logits, VALUES);
}

#[test]
fn resnet18_is_pytorchs() {
    check(Architecture::ResNet18, "resnet18_bn", GRADIENTS);
}

#[test]
fn resnet34_is_pytorchs() {
    check(Architecture::ResNet34, "resnet34_bn", DEEP_GRADIENTS);
}

#[test]
fn resnet18_ln_is_pytorchs() {
    check(Architecture::ResNet18Ln, "resnet18_ln_layer4_stride1", GRADIENTS);
}

#[test]
fn custom_resnet_is_pytorchs() {
    check(Architecture::CustomResNet, "custom_resnet", GRADIENTS);
}

#[test]
fn speedrun_is_pytorchs() {
    check(Architecture::Speedrun, "speedrun", SMOOTH_GRADIENTS);
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
