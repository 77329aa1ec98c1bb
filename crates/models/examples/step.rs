//! Training steps of a network on noise: images a second, memory, and where the time goes.
//!
//! `cargo run --release -p wick-models --example step [resnet18 [f32|bf16 [BATCH]]]`
#![allow(clippy::print_stdout)] // an example shows what it does

use std::collections::BTreeMap;
use std::time::Instant;

use candle_core::{Device, Tensor};
use wick_models::{
    Architecture, CompileOptions, Compiled, ModelError, Network, Precision, Profiling, StepOptions,
};

const STEPS: usize = 3;

fn main() -> Result<(), ModelError> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let architecture = given.first().map_or(Ok(Architecture::ResNet18), |name| name.parse())?;
    let precision = match given.get(1).map(String::as_str) {
        Some("bf16") => Precision::Bf16,
        _ => Precision::F32,
    };
    let batch = given.get(2).and_then(|n| n.parse().ok()).unwrap_or(32);

    let network = Network::new(architecture, 10, 0, &Device::Cpu)?;
    let options = CompileOptions { precision, profiling: Profiling::On, ..CompileOptions::default() };
    let mut compiled = Compiled::new(&network, options)?;
    let images = Tensor::randn(0f32, 1.0, (batch, 32, 32, 3), &Device::Cpu)?;
    let labels: Vec<u32> = (0..batch as u32).map(|i| i % 10).collect();

    compiled.training_step(&images, &labels, StepOptions::default())?; // takes its memory
    compiled.executor().take_profile();
    let began = Instant::now();
    for _ in 0..STEPS {
        compiled.training_step(&images, &labels, StepOptions::default())?;
    }
    let rate = (STEPS * batch) as f64 / began.elapsed().as_secs_f64();
    let megabytes = compiled.executor().bytes() as f64 / 1e6;
    println!("{architecture}, {precision:?}, batch {batch}: {rate:.0} images/s, {megabytes:.0} MB of maps\n");

    let mut by_op: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for row in compiled.executor().take_profile() {
        let sum = by_op.entry(row.op).or_default();
        *sum = (sum.0 + row.seconds, sum.1 + row.flops);
    }
    println!("{:<24} {:>10} {:>8}", "a step", "ms", "GFLOP/s");
    for (op, (seconds, flops)) in by_op {
        println!("{op:<24} {:10.2} {:8.0}", seconds * 1e3 / STEPS as f64, flops / seconds / 1e9);
    }
    Ok(())
}
