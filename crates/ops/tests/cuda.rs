//! Ops on a GPU against the same ops on the CPU: results and all gradients. Without a GPU these tests do nothing.
//!
//! Tolerance: 1e-4, of norms. Both sides are f32 and sum in other orders, which over these sizes moves a result by some 1e-6.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // in helpers as in tests

use std::cell::OnceCell;
use std::mem::ManuallyDrop;

use candle_core::{DType, Device, Error, Result, Tensor, Var};
use wick_ops::*;

#[path = "../../../fixtures/golden/golden.rs"]
mod golden;
use golden::uniform;

const TOLERANCE: f32 = 1e-4;

thread_local! {
    /// One for all of a test: kernels are compiled once a device and thread. It stays: what it holds may not be freed at a thread's end.
    static GPU: OnceCell<ManuallyDrop<Option<Device>>> = const { OnceCell::new() };
}

fn gpu() -> Option<Device> {
    let open = || match Device::new_cuda(0) {
        Ok(device) => Some(device),
        Err(error) => {
            println!("not run: {error}");
            None
        }
    };
    GPU.with(|gpu| (**gpu.get_or_init(|| ManuallyDrop::new(open()))).clone())
}

fn flat(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

fn near(name: &str, got: &[f32], want: &[f32], tolerance: f32) -> Result<()> {
    assert_eq!(got.len(), want.len(), "{name}: length");
    let norm =
        |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    let off = norm(&mut got.iter().zip(want).map(|(g, w)| g - w));
    let size = norm(&mut want.iter().copied());
    let near = off <= f64::from(tolerance) * size;
    if near { Ok(()) } else { Err(Error::msg(format!("{name}: off by {off:e} of {size:e}"))) }
}

/// All cases, so that one run shows every failure.
fn each<T>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) -> Result<()>) -> Result<()> {
    let failures: Vec<_> = cases.into_iter().filter_map(|case| check(case).err()).collect();
    let told = failures.iter().map(|failure| format!("\n{failure}")).collect::<String>();
    if failures.is_empty() { Ok(()) } else { Err(Error::msg(told)) }
}

/// The result of `op` on variables of these shapes, and the gradients of its sum, weighted at random.
fn results(
    device: &Device,
    shapes: &[&[usize]],
    op: &dyn Fn(&[Tensor]) -> Result<Tensor>,
) -> Result<Vec<Vec<f32>>> {
    let var = |(i, shape): (usize, &&[usize])| {
        Var::from_vec(uniform(i as u64 + 1, shape.iter().product(), 1.0), *shape, device)
    };
    let variables = shapes.iter().enumerate().map(var).collect::<Result<Vec<_>>>()?;
    let tensors: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let y = op(&tensors)?;
    let r = Tensor::from_vec(uniform(99, y.elem_count(), 1.0), y.shape(), device)?;
    // Flat: on a GPU candle cannot sum a scalar, for whose shape it takes memory of no bytes.
    let gradients = (&y * &r)?.flatten_all()?.sum_all()?.backward()?;
    let mut results = vec![flat(&y)];
    results.extend(variables.iter().map(|v| flat(gradients.get(v).unwrap())));
    Ok(results)
}

fn check_within(
    tolerance: f32,
    name: &str,
    shapes: &[&[usize]],
    op: impl Fn(&[Tensor]) -> Result<Tensor>,
) -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let (got, want) = (results(&gpu, shapes, &op)?, results(&Device::Cpu, shapes, &op)?);
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let what = if i == 0 { "result".into() } else { format!("gradient of input {}", i - 1) };
        near(&format!("{name} {shapes:?}, {what}"), got, want, tolerance)?;
    }
    Ok(())
}

fn check(name: &str, shapes: &[&[usize]], op: impl Fn(&[Tensor]) -> Result<Tensor>) -> Result<()> {
    check_within(TOLERANCE, name, shapes, op)
}

/// Height, width, channels in and out, kernel, stride, padding.
const CONVOLUTIONS: [[usize; 7]; 9] = [
    [1, 1, 1, 1, 1, 1, 0],
    [1, 1, 3, 2, 3, 1, 1],
    [5, 4, 3, 5, 3, 1, 1],
    [9, 7, 3, 64, 3, 1, 1],
    [8, 8, 16, 32, 3, 2, 1],
    [7, 9, 17, 13, 3, 2, 1],
    [6, 7, 5, 24, 1, 2, 0],
    [6, 5, 2, 17, 2, 3, 2],
    [8, 8, 64, 64, 3, 1, 1],
];

fn convolution([h, w, c, k, kernel, stride, padding]: [usize; 7], tolerance: f32) -> Result<()> {
    let shapes: [&[usize]; 2] = [&[3, h, w, c], &[kernel, kernel, c, k]];
    let options = Conv2dOptions { stride, padding };
    check_within(tolerance, &format!("conv2d, {options:?}"), &shapes, |t| conv2d(&t[0], &t[1], options))
}

#[test]
fn convolutions() -> Result<()> {
    each(CONVOLUTIONS, |sizes| convolution(sizes, TOLERANCE))
}

/// TF32 rounds each factor by 5e-4 at most.
#[test]
fn convolutions_in_tf32() -> Result<()> {
    let tf32 = CudaConvolutions { products: Products::Tf32, ..CudaConvolutions::default() };
    cuda_convolutions(tf32, || each(CONVOLUTIONS, |sizes| convolution(sizes, 1e-2)))
}

#[test]
fn repeatable_convolutions_repeat() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let options = CudaConvolutions { determinism: Determinism::Required, ..CudaConvolutions::default() };
    let once = || {
        results(&gpu, &[&[5, 9, 7, 16], &[3, 3, 16, 24]], &|t| {
            conv2d(&t[0], &t[1], Conv2dOptions { stride: 1, padding: 1 })
        })
    };
    cuda_convolutions(options, || {
        assert_eq!(once()?, once()?);
        Ok(())
    })
}

#[test]
fn batch_norms() -> Result<()> {
    for activation in [Activation::None, Activation::Relu] {
        for shape in [&[7, 3][..], &[2, 1, 2, 1], &[3, 5, 3, 17], &[9, 16, 16, 64], &[65, 33]] {
            let c = shape[shape.len() - 1];
            check(&format!("batch_norm_train, {activation:?}"), &[shape, &[c], &[c]], |t| {
                Ok(batch_norm_train(&t[0], &t[1], &t[2], 1e-3, activation)?.0)
            })?;
            check(&format!("batch_norm_eval, {activation:?}"), &[shape, &[c], &[c]], |t| {
                let mean = Tensor::from_vec(uniform(6, c, 1.0), c, t[0].device())?;
                let variance = Tensor::full(0.7f32, c, t[0].device())?;
                batch_norm_eval(&t[0], &t[1], &t[2], &mean, &variance, 1e-5, activation)
            })?;
        }
    }
    Ok(())
}

/// Of splits of one size, of two sizes, and more of them than images.
#[test]
fn ghost_batch_norms() -> Result<()> {
    for activation in [Activation::None, Activation::Relu] {
        for (shape, splits) in [([8, 3, 3, 5], 2), ([5, 2, 1, 33], 2), ([2, 2, 2, 3], 3), ([32, 8, 8, 16], 4)]
        {
            let c = shape[3];
            check(
                &format!("ghost_batch_norm, {splits} splits, {activation:?}"),
                &[&shape, &[c], &[c]],
                |t| Ok(ghost_batch_norm_train(&t[0], &t[1], &t[2], splits, 1e-3, activation)?.0),
            )?;
        }
    }
    Ok(())
}

/// What running averages learn from; far from zero, where sums of squares would cancel.
#[test]
fn statistics() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let (shape, c) = ([6, 5, 5, 7], 7);
    let values: Vec<f32> = uniform(3, shape.iter().product(), 0.5).iter().map(|v| v + 100.0).collect();
    let of = |device: &Device| -> Result<Vec<Tensor>> {
        let x = Tensor::from_vec(values.clone(), &shape, device)?;
        let one = Tensor::ones(c, DType::F32, device)?;
        let (_, batch) = batch_norm_train(&x, &one, &one, 1e-5, Activation::None)?;
        let (_, ghost) = ghost_batch_norm_train(&x, &one, &one, 4, 1e-5, Activation::None)?;
        assert_eq!(ghost.values, [50, 50, 25, 25]);
        let (_, alone) = ghost_batch_norm_train(&x.narrow(0, 0, 1)?, &one, &one, 2, 1e-5, Activation::None)?;
        Ok(vec![batch.mean, batch.variance, ghost.mean, ghost.variance, alone.mean, alone.variance])
    };
    for (got, want) in of(&gpu)?.iter().zip(&of(&Device::Cpu)?) {
        assert_eq!(got.dims(), want.dims());
        near("statistics", &flat(got), &flat(want), TOLERANCE)?;
    }
    // Of a single value there is no variance.
    let one = Tensor::ones((1, 3), DType::F32, &gpu)?;
    let (_, single) = batch_norm_train(&one, &one.squeeze(0)?, &one.squeeze(0)?, 1e-5, Activation::None)?;
    assert!(flat(&single.variance).iter().all(|v| v.is_nan()));
    Ok(())
}

#[test]
fn group_and_layer_norms() -> Result<()> {
    for activation in [Activation::None, Activation::Relu] {
        for (shape, groups) in
            [([1, 1, 2, 1], 1), ([3, 5, 3, 6], 1), ([2, 7, 3, 6], 3), ([2, 3, 1, 5], 5), ([5, 16, 16, 64], 8)]
        {
            let c = shape[3];
            check(&format!("group_norm, {groups} groups, {activation:?}"), &[&shape, &[c], &[c]], |t| {
                group_norm(&t[0], &t[1], &t[2], groups, 1e-3, activation)
            })?;
        }
        for shape in [&[2, 3][..], &[3, 2, 1, 5], &[4, 9, 7, 17]] {
            check(&format!("layer_norm, {activation:?}"), &[shape, &shape[1..], &shape[1..]], |t| {
                layer_norm(&t[0], &t[1], &t[2], 1e-3, activation)
            })?;
        }
    }
    Ok(())
}

#[test]
fn elementwise() -> Result<()> {
    for shape in [&[1][..], &[3, 5], &[2, 3, 1, 257]] {
        let c = shape[shape.len() - 1];
        check("relu", &[shape], |t| relu(&t[0]))?;
        check("guided relu", &[shape], |t| guided_relus(|| relu(&t[0])))?;
        check("add_relu", &[shape, shape], |t| add_relu(&t[0], &t[1]))?;
        check("guided add_relu", &[shape, shape], |t| guided_relus(|| add_relu(&t[0], &t[1])))?;
        check("gelu", &[shape], |t| gelu(&(&t[0] * 3.0)?))?;
        check("add_bias", &[shape, &[c]], |t| add_bias(&t[0], &t[1]))?;
    }
    check("guided batch_norm", &[&[5, 3, 3, 7], &[7], &[7]], |t| {
        Ok(guided_relus(|| batch_norm_train(&t[0], &t[1], &t[2], 1e-3, Activation::Relu))?.0)
    })
}

#[test]
fn pools() -> Result<()> {
    for (h, w, kernel, stride) in
        [(1, 1, 1, 1), (5, 4, 2, 2), (5, 5, 3, 2), (4, 7, 2, 1), (6, 6, 2, 3), (9, 8, 4, 3)]
    {
        let (shape, options) = ([3, h, w, 5], PoolOptions { kernel, stride });
        check(&format!("max_pool2d, {options:?}"), &[&shape], |t| max_pool2d(&t[0], options))?;
        // Of equal values the first: many are.
        check(&format!("max_pool2d of ties, {options:?}"), &[&shape], |t| {
            max_pool2d(&relu(&t[0])?, options)
        })?;
        check(&format!("avg_pool2d, {options:?}"), &[&shape], |t| avg_pool2d(&t[0], options))?;
        check("global_avg_pool2d", &[&shape], |t| global_avg_pool2d(&t[0]))?;
    }
    check("global_avg_pool2d", &[&[2, 9, 9, 67]], |t| global_avg_pool2d(&t[0]))
}

#[test]
fn linears() -> Result<()> {
    for (n, i, o) in [(1, 1, 1), (3, 5, 2), (17, 129, 10)] {
        check("linear", &[&[n, i], &[o, i], &[o]], |t| linear(&t[0], &t[1], Some(&t[2])))?;
        check("linear without bias", &[&[n, i], &[o, i]], |t| linear(&t[0], &t[1], None))?;
    }
    Ok(())
}

#[test]
fn cross_entropies() -> Result<()> {
    for (n, classes) in [(1, 2), (7, 10), (3, 300)] {
        for smoothing in [0.0, 0.1, 1.0] {
            check(&format!("cross_entropy, smoothing {smoothing}"), &[&[n, classes]], |t| {
                let targets: Vec<u32> = (0..n as u32).map(|i| i * 5 % classes as u32).collect();
                cross_entropy(&t[0], &Tensor::from_vec(targets, n, t[0].device())?, smoothing)
            })?;
        }
    }
    Ok(())
}

/// Of a view that is strided, and of one that begins where cuDNN reads no vectors.
#[test]
fn views_are_read_in_their_own_order() -> Result<()> {
    let weight: &[usize] = &[3, 3, 4, 8];
    check("a strided view", &[&[2, 4, 5, 6], weight], |t| {
        conv2d(&t[0].permute((0, 2, 3, 1))?, &t[1], Conv2dOptions::default())
    })?;
    check("a view from 3 on", &[&[3 + 2 * 5 * 6 * 4], weight], |t| {
        let x = t[0].narrow(0, 3, 240)?.reshape((2, 5, 6, 4))?;
        relu(&conv2d(&x, &t[1], Conv2dOptions::default())?)
    })
}

#[test]
fn no_grad_records_nothing() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let (x, w) = (Var::ones((2, 3), DType::F32, &gpu)?, Var::ones((4, 3), DType::F32, &gpu)?);
    assert!(linear(&x, &w, None)?.track_op() && relu(&x)?.track_op());
    assert!(!no_grad(|| linear(&x, &w, None))?.track_op() && !no_grad(|| relu(&x))?.track_op());
    Ok(())
}

#[test]
fn what_does_not_fit_is_named() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let said = |result: Result<Tensor>| result.expect_err("this input should be refused").to_string();
    let (here, there) = (Tensor::ones(3, DType::F32, &gpu)?, Tensor::ones(3, DType::F32, &Device::Cpu)?);
    let x = Tensor::ones((2, 3), DType::F32, &gpu)?;
    let error = said(group_norm(&x.unsqueeze(1)?, &here, &there, 1, 1e-5, Activation::None));
    assert!(
        error.contains("group_norm: expected bias on Cuda") && error.contains("got one on Cpu"),
        "{error}"
    );
    let error = said(add_relu(&there, &here));
    assert!(error.contains("expected tensors on the CPU"), "{error}");
    let error = said(relu(&x.to_dtype(DType::F64)?));
    assert!(error.contains("expected input of type F32, got F64"), "{error}");
    let targets = Tensor::new(&[0u32, 1], &Device::Cpu)?;
    assert!(said(cross_entropy(&x, &targets, 0.0)).contains("expected targets on Cuda"));
    assert!(said(cross_entropy(&x, &targets.to_device(&gpu)?, 1.5)).contains("label_smoothing"));
    // To say that a target is no class would take a wait.
    let loss = cross_entropy(&x, &Tensor::new(&[0u32, 3], &gpu)?, 0.0)?;
    assert!(loss.to_scalar::<f32>()?.is_nan());
    Ok(())
}
