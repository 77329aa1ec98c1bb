//! Gradients through candle's autograd against central differences, for every op, over odd shapes.
//!
//! The loss is `Σ op(x)·r` with fixed random `r`. A step of 1e-2 in f32 leaves a truncation error of some 1e-4 (the ops
//! are piecewise linear but for norms, GELU and cross-entropy) and a rounding error of some 1e-4 on losses of order 10:
//! 1e-2 of the gradient's scale holds both.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

use candle_core::{Device, Result, Tensor, Var};
use wick_ops::*;

#[path = "../../../fixtures/golden/golden.rs"]
mod golden;
use golden::{assert_close, uniform};

const STEP: f32 = 1e-2;

fn var(seed: u64, shape: &[usize]) -> Result<Var> {
    Var::from_vec(uniform(seed, shape.iter().product(), 1.0), shape, &Device::Cpu)
}

/// Distinct values 0.1 apart in scrambled order, none within 0.05 of zero: no step crosses a kink or a tie.
fn apart(seed: u64, shape: &[usize]) -> Result<Var> {
    let n: usize = shape.iter().product();
    let keys = uniform(seed, n, 1.0);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    let mut values = vec![0.0; n];
    for (rank, &i) in order.iter().enumerate() {
        values[i] = 0.1 * (rank as f32 - (n / 2) as f32) + 0.05;
    }
    Var::from_vec(values, shape, &Device::Cpu)
}

fn check(name: &str, variables: &[&Var], op: impl Fn() -> Result<Tensor>) -> Result<()> {
    let y = op()?;
    let r = Tensor::from_vec(uniform(99, y.elem_count(), 1.0), y.shape(), &Device::Cpu)?;
    let loss = || -> Result<f32> { (op()? * &r)?.sum_all()?.to_scalar() };
    let gradients = (&y * &r)?.sum_all()?.backward()?;
    for (number, variable) in variables.iter().enumerate() {
        let got: Vec<f32> = gradients.get(variable).unwrap().flatten_all()?.to_vec1()?;
        let original: Vec<f32> = variable.flatten_all()?.to_vec1()?;
        let mut want = Vec::new();
        for i in 0..original.len() {
            let at = |delta: f32| -> Result<f32> {
                let mut moved = original.clone();
                moved[i] += delta;
                variable.set(&Tensor::from_vec(moved, variable.shape(), &Device::Cpu)?)?;
                loss()
            };
            want.push((at(STEP)? - at(-STEP)?) / (2.0 * STEP));
        }
        variable.set(&Tensor::from_vec(original, variable.shape(), &Device::Cpu)?)?;
        assert_close(&format!("{name}, input {number}"), &got, &want, 1e-2);
    }
    Ok(())
}

#[test]
fn convolutions() -> Result<()> {
    for (n, h, w, c, k, kernel, stride, padding) in [
        (1, 1, 1, 1, 1, 1, 1, 0),
        (2, 1, 1, 3, 2, 3, 1, 1),
        (1, 5, 4, 3, 5, 3, 1, 1),
        (2, 5, 5, 2, 3, 3, 2, 1),
        (1, 6, 7, 5, 1, 1, 2, 0),
        (1, 6, 5, 2, 17, 2, 3, 2),
    ] {
        let (x, weight) = (var(1, &[n, h, w, c])?, var(2, &[kernel, kernel, c, k])?);
        let name = format!("conv2d {h}x{w} {c}->{k} kernel {kernel} stride {stride} padding {padding}");
        check(&name, &[&x, &weight], || conv2d(&x, &weight, Conv2dOptions { stride, padding }))?;
    }
    Ok(())
}

#[test]
fn batch_norms() -> Result<()> {
    for activation in [Activation::None, Activation::Relu] {
        for shape in [[2, 1, 2, 1], [3, 2, 3, 5], [2, 3, 1, 17]] {
            let c = shape[3];
            let x = var(3, &shape)?;
            // Biases of ±1.5 keep outputs away from ReLU's kink for most elements.
            let (w, b) = (var(4, &[c])?, var(5, &[c])?);
            let bias: Vec<f32> = b.to_vec1::<f32>()?.iter().map(|v| 3.0f32.copysign(*v)).collect();
            b.set(&Tensor::new(bias.as_slice(), &Device::Cpu)?)?;
            let eps = 0.1;
            check(
                "batch_norm_train",
                &[&x, &w, &b],
                || Ok(batch_norm_train(&x, &w, &b, eps, activation)?.0),
            )?;
            let (mean, variance) = (var(6, &[c])?, Tensor::full(0.7f32, c, &Device::Cpu)?);
            check("batch_norm_eval", &[&x, &w, &b], || {
                batch_norm_eval(&x, &w, &b, &mean.as_detached_tensor(), &variance, eps, activation)
            })?;
        }
    }
    Ok(())
}

/// Of splits of one size, of two sizes, and more of them than images.
#[test]
fn ghost_batch_norms() -> Result<()> {
    for activation in [Activation::None, Activation::Relu] {
        for (shape, splits) in [([4, 1, 2, 3], 2), ([5, 2, 1, 5], 2), ([2, 2, 2, 3], 3)] {
            let c = shape[3];
            let (x, w, b) = (var(3, &shape)?, var(4, &[c])?, var(5, &[c])?);
            // As for batch norm, biases far from ReLU's kink.
            let bias: Vec<f32> = b.to_vec1::<f32>()?.iter().map(|v| 3.0f32.copysign(*v)).collect();
            b.set(&Tensor::new(bias.as_slice(), &Device::Cpu)?)?;
            check("ghost_batch_norm_train", &[&x, &w, &b], || {
                Ok(ghost_batch_norm_train(&x, &w, &b, splits, 0.1, activation)?.0)
            })?;
        }
    }
    Ok(())
}

#[test]
fn layer_norms() -> Result<()> {
    for activation in [Activation::None, Activation::Relu] {
        for shape in [&[2, 3][..], &[3, 2, 1, 5]] {
            let (x, w, b) = (var(3, shape)?, var(4, &shape[1..])?, var(5, &shape[1..])?);
            let bias: Vec<f32> =
                b.flatten_all()?.to_vec1::<f32>()?.iter().map(|v| 3.0f32.copysign(*v)).collect();
            b.set(&Tensor::from_vec(bias, &shape[1..], &Device::Cpu)?)?;
            check("layer_norm", &[&x, &w, &b], || layer_norm(&x, &w, &b, 0.1, activation))?;
        }
    }
    Ok(())
}

#[test]
fn group_norms() -> Result<()> {
    for activation in [Activation::None, Activation::Relu] {
        for (shape, groups) in [([1, 1, 2, 1], 1), ([2, 2, 3, 6], 1), ([2, 2, 3, 6], 3), ([2, 3, 1, 5], 5)] {
            let c = shape[3];
            let (x, w, b) = (var(3, &shape)?, var(4, &[c])?, var(5, &[c])?);
            // As for batch norm, biases far from ReLU's kink.
            let bias: Vec<f32> = b.to_vec1::<f32>()?.iter().map(|v| 3.0f32.copysign(*v)).collect();
            b.set(&Tensor::new(bias.as_slice(), &Device::Cpu)?)?;
            check("group_norm", &[&x, &w, &b], || group_norm(&x, &w, &b, groups, 0.1, activation))?;
        }
    }
    Ok(())
}

#[test]
fn gelus() -> Result<()> {
    let x = var(14, &[2, 3, 1, 7])?;
    x.set(&(x.as_detached_tensor() * 3.0)?)?;
    check("gelu", &[&x], || gelu(&x))
}

#[test]
fn biases() -> Result<()> {
    for shape in [&[3][..], &[2, 5], &[2, 3, 1, 17]] {
        let (x, bias) = (var(15, shape)?, var(16, &shape[shape.len() - 1..])?);
        check("add_bias", &[&x, &bias], || add_bias(&x, &bias))?;
    }
    Ok(())
}

#[test]
fn activations() -> Result<()> {
    let (x, a) = (apart(7, &[3, 5])?, apart(8, &[2, 3, 1, 3])?);
    check("relu", &[&x], || relu(&x))?;
    let b = Var::from_tensor(&(a.as_detached_tensor() * 2.0)?)?; // the sum stays away from zero too
    check("add_relu", &[&a, &b], || add_relu(&a, &b))
}

#[test]
fn pools() -> Result<()> {
    for (h, w, kernel, stride) in [(1, 1, 1, 1), (5, 4, 2, 2), (5, 5, 3, 2), (4, 7, 2, 1), (6, 6, 2, 3)] {
        let x = apart(9, &[2, h, w, 3])?;
        let options = PoolOptions { kernel, stride };
        check("max_pool2d", &[&x], || max_pool2d(&x, options))?;
        check("avg_pool2d", &[&x], || avg_pool2d(&x, options))?;
        check("global_avg_pool2d", &[&x], || global_avg_pool2d(&x))?;
    }
    Ok(())
}

#[test]
fn linears() -> Result<()> {
    for (n, i, o) in [(1, 1, 1), (3, 5, 2), (2, 17, 10)] {
        let (x, w, b) = (var(10, &[n, i])?, var(11, &[o, i])?, var(12, &[o])?);
        check("linear", &[&x, &w, &b], || linear(&x, &w, Some(&b)))?;
        check("linear without bias", &[&x, &w], || linear(&x, &w, None))?;
    }
    Ok(())
}

#[test]
fn cross_entropies() -> Result<()> {
    let z = var(13, &[3, 5])?;
    let t = Tensor::new(&[4u32, 0, 2], &Device::Cpu)?;
    for smoothing in [0.0, 0.1, 1.0] {
        check("cross_entropy", &[&z], || cross_entropy(&z, &t, smoothing))?;
    }
    Ok(())
}
