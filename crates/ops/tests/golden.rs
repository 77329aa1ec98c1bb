//! Ops against PyTorch's values: outputs and all gradients, through candle's autograd.
//!
//! Tolerance: 1e-4 of the tensor's scale. Both sides are f32 and sum in other orders; over these sizes that moves a
//! result by at most some 1e-6 of scale, so 1e-4 leaves room for other instruction sets and none for a wrong formula.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

use candle_core::{Device, Result, Tensor, Var};
use serde_json::Value;
use wick_ops::{
    Activation, Conv2dOptions, PoolOptions, add_relu, batch_norm_eval, batch_norm_train, conv2d,
    cross_entropy, gelu, ghost_batch_norm_train, global_avg_pool2d, group_norm, guided_relus, layer_norm,
    linear, max_pool2d, relu,
};

#[path = "../../../fixtures/golden/golden.rs"]
mod golden;
use golden::{SEED, assert_close, nchw_to_nhwc, oihw_to_hwio, uniform};

const TOLERANCE: f32 = 1e-4;

fn values(case: &str) -> Value {
    let all: Value = serde_json::from_str(&golden::read("layers.json")).unwrap();
    all[case].clone()
}

fn floats(v: &Value) -> Vec<f32> {
    v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn flat(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

/// An NHWC variable from the generator's NCHW numbers.
fn images(values: &[f32], [n, c, h, w]: [usize; 4]) -> Result<Var> {
    Var::from_vec(nchw_to_nhwc(values, [n, c, h, w]), (n, h, w, c), &Device::Cpu)
}

/// The gradients of `Σ y·dy`, `dy` given in NCHW.
fn backward(y: &Tensor, dy: &[f32], nchw: [usize; 4]) -> Result<candle_core::backprop::GradStore> {
    (y * images(dy, nchw)?.as_detached_tensor())?.sum_all()?.backward()
}

#[test]
fn convolution() -> Result<()> {
    for (n, i, o, k, s, p, h) in [
        (2, 3, 16, 3, 1, 1, 9),
        (2, 16, 32, 3, 2, 1, 8),
        (2, 16, 24, 1, 2, 0, 8),
        (3, 32, 16, 3, 1, 1, 6),
        (1, 5, 7, 3, 1, 1, 7),
        (2, 4, 8, 2, 1, 0, 6),
    ] {
        // y = F.conv2d(x, w, stride=s, padding=p); y.backward(g)
        let case = format!("conv_n{n}_i{i}_o{o}_k{k}_s{s}_p{p}_h{h}");
        let want = values(&case);
        let x = images(&uniform(SEED + 6, n * i * h * h, 1.0), [n, i, h, h])?;
        let w = uniform(SEED + 5, o * i * k * k, 0.5);
        let w = Var::from_vec(oihw_to_hwio(&w, [o, i, k, k]), (k, k, i, o), &Device::Cpu)?;
        let y = conv2d(&x, &w, Conv2dOptions { stride: s, padding: p })?;
        let out = y.dim(1)?;
        let nchw = [n, o, out, out];
        assert_close(&case, &flat(&y), &nchw_to_nhwc(&floats(&want["y"]), nchw), TOLERANCE);

        let g = backward(&y, &uniform(SEED + 7, n * o * out * out, 1.0), nchw)?;
        let dx = nchw_to_nhwc(&floats(&want["grad_x"]), [n, i, h, h]);
        assert_close(&format!("{case} dx"), &flat(g.get(&x).unwrap()), &dx, TOLERANCE);
        let dw = oihw_to_hwio(&floats(&want["grad_w"]), [o, i, k, k]);
        assert_close(&format!("{case} dw"), &flat(g.get(&w).unwrap()), &dw, TOLERANCE);
    }
    Ok(())
}

#[test]
fn batch_norm() -> Result<()> {
    // m = nn.BatchNorm2d(6).train(); y = m(x); y.backward(g); m.eval()(x)
    let want = values("batch_norm");
    let nchw = [8, 6, 5, 5];
    let x: Vec<f32> = uniform(SEED + 3, 8 * 6 * 25, 2.0).iter().map(|v| v + 0.5).collect();
    let x = images(&x, nchw)?;
    let w: Vec<f32> = uniform(SEED + 1, 6, 0.3).iter().map(|v| 1.0 + v).collect();
    let (w, b) = (
        Var::new(w.as_slice(), &Device::Cpu)?,
        Var::new(uniform(SEED + 2, 6, 0.3).as_slice(), &Device::Cpu)?,
    );
    let (y, batch) = batch_norm_train(&x, &w, &b, 1e-5, Activation::None)?;
    assert_close("y", &flat(&y), &nchw_to_nhwc(&floats(&want["y"]), nchw), TOLERANCE);

    let g = backward(&y, &uniform(SEED + 4, 8 * 6 * 25, 1.0), nchw)?;
    let dx = nchw_to_nhwc(&floats(&want["grad_x"]), nchw);
    assert_close("dx", &flat(g.get(&x).unwrap()), &dx, TOLERANCE);
    assert_close("dweight", &flat(g.get(&w).unwrap()), &floats(&want["grad_weight"]), TOLERANCE);
    assert_close("dbias", &flat(g.get(&b).unwrap()), &floats(&want["grad_bias"]), TOLERANCE);

    // running = 0.9·initial + 0.1·batch, from mean 0 and variance 1
    let mean = (batch.mean * 0.1)?;
    let variance = ((batch.variance * 0.1)? + 0.9)?;
    assert_close("running mean", &flat(&mean), &floats(&want["running_mean"]), TOLERANCE);
    assert_close("running variance", &flat(&variance), &floats(&want["running_var"]), TOLERANCE);
    let y = batch_norm_eval(&x, &w, &b, &mean, &variance, 1e-5, Activation::None)?;
    assert_close("y_eval", &flat(&y), &nchw_to_nhwc(&floats(&want["y_eval"]), nchw), TOLERANCE);
    Ok(())
}

#[test]
fn ghost_batch_norms() -> Result<()> {
    for splits in [2, 4] {
        // m = GhostBatchNorm(6, splits).train(); y = m(x); y.backward(g); m.eval()(x)
        let want = values(&format!("ghost_batch_norm_{splits}"));
        let nchw = [8, 6, 5, 5];
        let x: Vec<f32> = uniform(SEED + 3, 8 * 6 * 25, 2.0).iter().map(|v| v + 0.5).collect();
        let x = images(&x, nchw)?;
        let w: Vec<f32> = uniform(SEED + 1, 6, 0.3).iter().map(|v| 1.0 + v).collect();
        let w = Var::new(w.as_slice(), &Device::Cpu)?;
        let b = Var::new(uniform(SEED + 2, 6, 0.3).as_slice(), &Device::Cpu)?;
        let (y, batch) = ghost_batch_norm_train(&x, &w, &b, splits, 1e-5, Activation::None)?;
        assert_eq!(batch.values, vec![8 / splits * 25; splits]);
        assert_close("y", &flat(&y), &nchw_to_nhwc(&floats(&want["y"]), nchw), TOLERANCE);

        let g = backward(&y, &uniform(SEED + 4, 8 * 6 * 25, 1.0), nchw)?;
        let dx = nchw_to_nhwc(&floats(&want["grad_x"]), nchw);
        assert_close("dx", &flat(g.get(&x).unwrap()), &dx, TOLERANCE);
        assert_close("dweight", &flat(g.get(&w).unwrap()), &floats(&want["grad_weight"]), TOLERANCE);
        assert_close("dbias", &flat(g.get(&b).unwrap()), &floats(&want["grad_bias"]), TOLERANCE);

        // The values are those of the mean over the splits of running = 0.9·initial + 0.1·batch.
        let mean = (batch.mean.mean(0)? * 0.1)?;
        let variance = ((batch.variance.mean(0)? * 0.1)? + 0.9)?;
        assert_close("running mean", &flat(&mean), &floats(&want["running_mean"]), TOLERANCE);
        assert_close("running variance", &flat(&variance), &floats(&want["running_var"]), TOLERANCE);
        let y = batch_norm_eval(&x, &w, &b, &mean, &variance, 1e-5, Activation::None)?;
        assert_close("y_eval", &flat(&y), &nchw_to_nhwc(&floats(&want["y_eval"]), nchw), TOLERANCE);
    }
    Ok(())
}

#[test]
fn layer_norm_of_each_value() -> Result<()> {
    // m = nn.LayerNorm((6, 5, 5)); y = m(x); y.backward(g)
    let want = values("layer_norm_chw");
    let (nchw, image) = ([8, 6, 5, 5], [1, 6, 5, 5]);
    let x: Vec<f32> = uniform(SEED + 3, 8 * 6 * 25, 2.0).iter().map(|v| v + 0.5).collect();
    let x = images(&x, nchw)?;
    let of_image = |v: &[f32]| Var::from_vec(nchw_to_nhwc(v, image), (5, 5, 6), &Device::Cpu);
    let w = of_image(&uniform(SEED + 1, 150, 0.3).iter().map(|v| 1.0 + v).collect::<Vec<_>>())?;
    let b = of_image(&uniform(SEED + 2, 150, 0.3))?;
    let y = layer_norm(&x, &w, &b, 1e-5, Activation::None)?;
    assert_close("y", &flat(&y), &nchw_to_nhwc(&floats(&want["y"]), nchw), TOLERANCE);
    let g = backward(&y, &uniform(SEED + 4, 8 * 6 * 25, 1.0), nchw)?;
    for (what, x, shape) in [("grad_x", &x, nchw), ("grad_weight", &w, image), ("grad_bias", &b, image)] {
        assert_close(what, &flat(g.get(x).unwrap()), &nchw_to_nhwc(&floats(&want[what]), shape), TOLERANCE);
    }
    Ok(())
}

#[test]
fn group_norms() -> Result<()> {
    for (name, groups) in [("layer_norm_group1", 1), ("group_norm_3", 3)] {
        // m = nn.GroupNorm(groups, 6); y = m(x); y.backward(g)
        let want = values(name);
        let nchw = [8, 6, 5, 5];
        let x: Vec<f32> = uniform(SEED + 3, 8 * 6 * 25, 2.0).iter().map(|v| v + 0.5).collect();
        let x = images(&x, nchw)?;
        let w: Vec<f32> = uniform(SEED + 1, 6, 0.3).iter().map(|v| 1.0 + v).collect();
        let w = Var::new(w.as_slice(), &Device::Cpu)?;
        let b = Var::new(uniform(SEED + 2, 6, 0.3).as_slice(), &Device::Cpu)?;
        let y = group_norm(&x, &w, &b, groups, 1e-5, Activation::None)?;
        assert_close(name, &flat(&y), &nchw_to_nhwc(&floats(&want["y"]), nchw), TOLERANCE);

        let g = backward(&y, &uniform(SEED + 4, 8 * 6 * 25, 1.0), nchw)?;
        let dx = nchw_to_nhwc(&floats(&want["grad_x"]), nchw);
        assert_close("dx", &flat(g.get(&x).unwrap()), &dx, TOLERANCE);
        assert_close("dweight", &flat(g.get(&w).unwrap()), &floats(&want["grad_weight"]), TOLERANCE);
        assert_close("dbias", &flat(g.get(&b).unwrap()), &floats(&want["grad_bias"]), TOLERANCE);
    }
    Ok(())
}

#[test]
fn exact_gelu() -> Result<()> {
    // y = F.gelu(x); y.backward(g)
    let want = values("gelu");
    let nchw = [2, 4, 8, 8];
    let x = images(&uniform(SEED + 11, 512, 4.0), nchw)?;
    let y = gelu(&x)?;
    assert_close("y", &flat(&y), &nchw_to_nhwc(&floats(&want["y"]), nchw), TOLERANCE);
    let g = backward(&y, &uniform(SEED + 12, 512, 1.0), nchw)?;
    let dx = nchw_to_nhwc(&floats(&want["grad_x"]), nchw);
    assert_close("dx", &flat(g.get(&x).unwrap()), &dx, TOLERANCE);
    Ok(())
}

#[test]
fn max_pool() -> Result<()> {
    for (case, h, kernel, stride, ties) in [
        ("max_pool2d_2", 8, 2, 2, false),
        ("max_pool2d_2_odd", 7, 2, 2, false),
        ("max_pool2d_3_stride_2", 9, 3, 2, false),
        ("max_pool2d_4", 8, 4, 4, false),
        ("max_pool2d_2_ties_go_to_the_first", 8, 2, 2, true),
    ] {
        // y = F.max_pool2d(x, kernel, stride); y.backward(g)
        let want = values(case);
        let mut x = uniform(SEED + 8, 2 * 4 * h * h, 1.0);
        if ties {
            x.iter_mut().for_each(|v| *v = v.round_ties_even());
        }
        let x = images(&x, [2, 4, h, h])?;
        let y = max_pool2d(&x, PoolOptions { kernel, stride })?;
        let out = y.dim(1)?;
        let nchw = [2, 4, out, out];
        assert_close(case, &flat(&y), &nchw_to_nhwc(&floats(&want["y"]), nchw), TOLERANCE);
        let g = backward(&y, &uniform(SEED + 9, 2 * 4 * out * out, 1.0), nchw)?;
        let dx = nchw_to_nhwc(&floats(&want["grad_x"]), [2, 4, h, h]);
        assert_close(case, &flat(g.get(&x).unwrap()), &dx, TOLERANCE);
    }
    Ok(())
}

#[test]
fn cross_entropy_with_and_without_smoothing() -> Result<()> {
    for smoothing in ["0.0", "0.2"] {
        // l = F.cross_entropy(z, t, label_smoothing=smoothing); l.backward()
        let want = values(&format!("cross_entropy_smoothing_{smoothing}"));
        let z = Var::from_vec(uniform(SEED + 10, 50, 3.0), (5, 10), &Device::Cpu)?;
        let t = Tensor::new(&[0u32, 9, 3, 3, 7], &Device::Cpu)?;
        let loss = cross_entropy(&z, &t, smoothing.parse().unwrap())?;
        let want_loss = want["loss"].as_f64().unwrap() as f32;
        assert_close("loss", &[loss.to_scalar::<f32>()?], &[want_loss], TOLERANCE);
        let g = loss.backward()?;
        assert_close("gradient", &flat(g.get(&z).unwrap()), &floats(&want["grad"]), TOLERANCE);
        // A gradient that arrives scaled is passed on scaled.
        let g = (cross_entropy(&z, &t, smoothing.parse().unwrap())? * 3.0)?.backward()?;
        let want: Vec<f32> = floats(&want["grad"]).iter().map(|v| 3.0 * v).collect();
        assert_close("scaled gradient", &flat(g.get(&z).unwrap()), &want, TOLERANCE);
    }
    Ok(())
}

/// The network of `small_cams.py`, from images to logits; parameter `k` is filled from `SEED + 700 + k`.
fn small_network(x: &Tensor) -> Result<Tensor> {
    let filled = |k: u64, n: usize, offset: f32| -> Vec<f32> {
        uniform(SEED + 700 + k, n, 0.5).into_iter().map(|v| v + offset).collect()
    };
    let weight = |k: u64, [o, i]: [usize; 2]| {
        let values = oihw_to_hwio(&filled(k, o * i * 9, 0.0), [o, i, 3, 3]);
        Tensor::from_vec(values, (3, 3, i, o), &Device::Cpu)
    };
    let vector = |k, offset| Tensor::from_vec(filled(k, 6, offset), 6, &Device::Cpu);
    let norm = |x: &Tensor, k: u64, activation| {
        let (mean, variance) = (vector(k + 2, 0.0)?, vector(k + 3, 1.0)?);
        batch_norm_eval(x, &vector(k, 1.0)?, &vector(k + 1, 0.0)?, &mean, &variance, 1e-5, activation)
    };
    let same = Conv2dOptions { stride: 1, padding: 1 };
    let x = norm(&conv2d(x, &weight(0, [6, 3])?, same)?, 1, Activation::Relu)?;
    let x = add_relu(&norm(&conv2d(&x, &weight(5, [6, 6])?, same)?, 6, Activation::None)?, &x)?;
    let x = relu(&conv2d(&x, &weight(10, [8, 6])?, Conv2dOptions { stride: 2, padding: 1 })?)?;
    let weight = Tensor::from_vec(filled(11, 32, 0.0), (4, 8), &Device::Cpu)?;
    let bias = Tensor::from_vec(filled(12, 4, 0.0), 4, &Device::Cpu)?;
    linear(&global_avg_pool2d(&x)?, &weight, Some(&bias))
}

// pytorch_grad_cam.GuidedBackpropReLUModel(network)(images[i:i + 1], target_category=[1, 3][i]), f64
#[test]
fn guided_rectifiers_alone_and_fused_pass_on_what_the_references_do() -> Result<()> {
    let golden: Value = serde_json::from_str(&golden::read("small_cams.json")).unwrap();
    let images = nchw_to_nhwc(&uniform(SEED + 750, 2 * 3 * 10 * 12, 1.0), [2, 3, 10, 12]);
    let images = Var::from_vec(images, (2, 10, 12, 3), &Device::Cpu)?;
    let logits = guided_relus(|| small_network(&images))?;
    assert_close("logits", &flat(&logits), &floats(&golden["logits"]), TOLERANCE);
    let targets = Tensor::new(&[[0f32, 1., 0., 0.], [0., 0., 0., 1.]], &Device::Cpu)?;
    let gradient = |logits: &Tensor| -> Result<Vec<f32>> {
        let gradients = (logits * &targets)?.sum_all()?.backward()?;
        Ok(flat(gradients.get(&images).unwrap()))
    };
    assert_close("guided", &gradient(&logits)?, &floats(&golden["guided-backprop"]), TOLERANCE);
    // The scope has ended: the plain gradient is another one.
    let (plain, guided) = (gradient(&small_network(&images)?)?, floats(&golden["guided-backprop"]));
    assert!(plain.iter().zip(&guided).any(|(a, b)| (a - b).abs() > 0.01));
    Ok(())
}
