//! Trains a three-layer network on a toy task with nothing but these ops and plain gradient descent.
//!
//! `cargo run --release -p wick-ops --example three_layers`
#![allow(clippy::print_stdout)] // an example shows what it does

use candle_core::{Device, Result, Tensor, Var};
use wick_ops::{
    Activation, Conv2dOptions, PoolOptions, batch_norm_train, conv2d, cross_entropy, global_avg_pool2d,
    linear, max_pool2d,
};

fn main() -> Result<()> {
    // Horizontal (0) against vertical (1) stripes with phases of their own, on 12x12 grey images.
    let (images, targets) = stripes(32)?;
    let wave = |n: usize, scale: f32| (0..n).map(|i| scale * (i as f32 * 12.9898).sin()).collect::<Vec<_>>();
    let filters = Var::from_vec(wave(9 * 8, 0.5), (3, 3, 1, 8), &Device::Cpu)?;
    let scale = Var::from_vec(vec![1.0f32; 8], 8, &Device::Cpu)?;
    let shift = Var::from_vec(vec![0.0f32; 8], 8, &Device::Cpu)?;
    let weight = Var::from_vec(wave(16, 0.3), (2, 8), &Device::Cpu)?;
    let bias = Var::from_vec(vec![0.0f32; 2], 2, &Device::Cpu)?;

    for step in 0..=40 {
        let x = conv2d(&images, &filters, Conv2dOptions { stride: 1, padding: 1 })?;
        let (x, _) = batch_norm_train(&x, &scale, &shift, 1e-5, Activation::Relu)?;
        let x = max_pool2d(&x, PoolOptions { kernel: 2, stride: 2 })?;
        let logits = linear(&global_avg_pool2d(&x)?, &weight, Some(&bias))?;
        let loss = cross_entropy(&logits, &targets, 0.0)?;
        if step % 10 == 0 {
            let right = logits.argmax(1)?.eq(&targets)?.to_dtype(candle_core::DType::F32)?.mean_all()?;
            println!(
                "step {step:2}: loss {:.4}, right {:.0} %",
                loss.to_scalar::<f32>()?,
                right.to_scalar::<f32>()? * 100.
            );
        }
        let gradients = loss.backward()?;
        for variable in [&filters, &scale, &shift, &weight, &bias] {
            if let Some(gradient) = gradients.get(variable) {
                variable.set(&(variable.as_tensor() - (gradient * 0.5)?)?)?;
            }
        }
    }
    Ok(())
}

fn stripes(n: usize) -> Result<(Tensor, Tensor)> {
    let mut pixels = Vec::new();
    for image in 0..n {
        for position in 0..144 {
            let along = if image % 2 == 0 { position / 12 } else { position % 12 };
            pixels.push(if (along + image / 2) % 4 < 2 { 1f32 } else { -1. });
        }
    }
    let targets: Vec<u32> = (0..n as u32).map(|i| i % 2).collect();
    Ok((Tensor::from_vec(pixels, (n, 12, 12, 1), &Device::Cpu)?, Tensor::from_vec(targets, n, &Device::Cpu)?))
}
