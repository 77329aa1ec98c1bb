//! One optimiser step over a ResNet-18's worth of parameters, beside the same arithmetic in candle's elementwise operations.
#![allow(missing_docs, clippy::unwrap_used)]

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use candle_nn::{AdamW as CandleAdamW, Optimizer as _, ParamsAdamW};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use wick_optim::{AdamW, AdamWOptions, Momentum, Optimizer, Sgd, SgdOptions};

/// 11.2 million parameters in 21 tensors.
fn variables() -> Vec<(String, Var)> {
    let lengths =
        [vec![2_359_296; 3], vec![1_179_648; 1], vec![589_824; 3], vec![147_456; 8], vec![36_864; 6]]
            .concat();
    let var = |n: usize| Var::from_tensor(&Tensor::rand(-1f32, 1., n, &Device::Cpu).unwrap()).unwrap();
    lengths.into_iter().enumerate().map(|(i, n)| (format!("w{i}"), var(n))).collect()
}

fn gradients(variables: &[(String, Var)]) -> GradStore {
    let mut store = GradStore::default();
    for (_, v) in variables {
        store.insert(v, Tensor::rand(-1f32, 1., v.shape(), &Device::Cpu).unwrap());
    }
    store
}

fn step(c: &mut Criterion) {
    let vars = variables();
    let grads = gradients(&vars);
    let mut group = c.benchmark_group("step of 11.2 M parameters");
    group.sample_size(10);

    let options = SgdOptions { momentum: Momentum::Heavy(0.9), weight_decay: 5e-4, ..Default::default() };
    let mut sgd = Sgd::new(vars.clone(), options).unwrap();
    group.bench_function("sgd momentum, fused", |b| b.iter(|| sgd.step(black_box(&grads)).unwrap()));

    let mut buffers: Vec<Tensor> = vars.iter().map(|(_, v)| v.zeros_like().unwrap()).collect();
    group.bench_function("sgd momentum, candle operations", |b| {
        b.iter(|| {
            for ((_, v), buffer) in vars.iter().zip(&mut buffers) {
                let g = (grads.get(v).unwrap() + (v.as_tensor() * 5e-4).unwrap()).unwrap();
                *buffer = ((&*buffer * 0.9).unwrap() + g).unwrap();
                v.set(&(v.as_tensor() - (&*buffer * 1e-3).unwrap()).unwrap()).unwrap();
            }
        });
    });

    let mut adam = AdamW::new(vars.clone(), AdamWOptions::default()).unwrap();
    group.bench_function("adamw, fused", |b| b.iter(|| adam.step(black_box(&grads)).unwrap()));

    let vars = vars.iter().map(|(_, v)| v.clone()).collect();
    let mut adam = CandleAdamW::new(vars, ParamsAdamW::default()).unwrap();
    group.bench_function("adamw, candle-nn", |b| b.iter(|| adam.step(black_box(&grads)).unwrap()));
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
