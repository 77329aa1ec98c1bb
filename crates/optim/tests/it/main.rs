//! One test binary, so that candle is linked once.
#![allow(clippy::unwrap_used, clippy::panic)] // also in the tests' helpers

#[path = "../../../../fixtures/golden/golden.rs"]
mod golden;

mod averages;
mod bad_input;
mod config;
mod gradients;
mod lengths;
mod muon;
mod one_cycle;
mod optimizers;
mod range_test;
mod schedules;
mod state;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};

/// The values of a reference file.
fn reference(name: &str) -> serde_json::Value {
    serde_json::from_str(&golden::read(name)).unwrap()
}

fn floats(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn var(values: &[f64]) -> Var {
    Var::from_slice(values, values.len(), &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// A store with the given gradients.
fn store<'a>(gradients: impl IntoIterator<Item = (&'a Var, Tensor)>) -> GradStore {
    let mut store = GradStore::default();
    for (var, gradient) in gradients {
        store.insert(var, gradient);
    }
    store
}

/// A gradient of `n` values for step `k`, as the reference values use them.
fn gradient(k: u64, n: usize) -> Tensor {
    let values: Vec<f64> =
        golden::uniform(golden::SEED + 21 + k, n, 1.0).into_iter().map(f64::from).collect();
    Tensor::from_vec(values, n, &Device::Cpu).unwrap()
}

/// Largest difference, relative to the largest expected value.
fn deviation(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(0f64, |m, v| m.max(v.abs())).max(f64::MIN_POSITIVE);
    got.iter().zip(want).fold(0f64, |m, (g, w)| {
        assert!(g.is_finite());
        m.max((g - w).abs() / scale)
    })
}
