//! One test binary, so that candle is linked once.
#![allow(clippy::unwrap_used, clippy::panic)] // also in the tests' helpers

#[path = "../../../../fixtures/golden/golden.rs"]
mod golden;

mod bad_input;
mod eigen;
mod explaining;
mod heatmaps;
mod methods;
mod quality;
mod small_network;

use candle_core::{Device, Shape, Tensor};

fn tensor(seed: u64, shape: impl Into<Shape>, bound: f32) -> Tensor {
    let shape = shape.into();
    let values = golden::uniform(seed, shape.elem_count(), bound);
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn reference(case: &str) -> Vec<f32> {
    reference_in("cams.json", case)
}

fn reference_in(file: &str, case: &str) -> Vec<f32> {
    let all: serde_json::Value = serde_json::from_str(&golden::read(file)).unwrap();
    all[case].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

/// Activations (2, 4, 4, 6) and gradients as the reference values were made with.
fn given() -> (Tensor, Tensor) {
    let nhwc = |seed, bound, least: f32| {
        let mut nchw = golden::uniform(golden::SEED + seed, 2 * 6 * 4 * 4, bound);
        nchw.iter_mut().for_each(|v| *v = v.max(least));
        let values = golden::nchw_to_nhwc(&nchw, [2, 6, 4, 4]);
        Tensor::from_vec(values, (2, 4, 4, 6), &Device::Cpu).unwrap()
    };
    (nhwc(40, 2.0, 0.0), nhwc(41, 1.0, f32::MIN))
}
