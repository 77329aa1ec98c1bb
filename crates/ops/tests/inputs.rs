//! What ops say to inputs they cannot take, and to inputs laid out otherwise.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

use candle_core::{DType, Device, Result, Tensor, Var};
use wick_ops::*;

fn message<T>(result: Result<T>) -> String {
    result.err().expect("this input should be refused").to_string()
}

#[test]
fn shapes_and_types_are_named() -> Result<()> {
    let cpu = &Device::Cpu;
    let x = Tensor::zeros((2, 5, 4, 3), DType::F32, cpu)?;
    let w = Tensor::zeros((3, 3, 4, 8), DType::F32, cpu)?;
    let said = message(conv2d(&x, &w, Conv2dOptions::default()));
    assert!(said.contains("conv2d: expected weight of shape [3, 3, 3, 8], got [3, 3, 4, 8]"), "{said}");
    let said = message(conv2d(&x.flatten_all()?, &w, Conv2dOptions::default()));
    assert!(said.contains("expected input of shape (N, H, W, C), got [120]"), "{said}");
    let said = message(relu(&x.to_dtype(DType::F64)?));
    assert!(said.contains("expected input of type F32, got F64"), "{said}");
    let said = message(add_relu(&x, &w));
    assert!(said.contains("expected second input of shape [2, 5, 4, 3], got [3, 3, 4, 8]"), "{said}");
    let huge = Tensor::zeros((9, 9, 3, 8), DType::F32, cpu)?;
    assert!(message(conv2d(&x, &huge, Conv2dOptions::default())).contains("conv2d"));
    assert!(message(max_pool2d(&x, PoolOptions { kernel: 5, stride: 1 })).contains("max_pool2d"));
    assert!(message(max_pool2d(&x, PoolOptions { kernel: 2, stride: 0 })).contains("max_pool2d"));
    let c = Tensor::zeros(4, DType::F32, cpu)?;
    let said = message(batch_norm_train(&x, &c, &c, 1e-5, Activation::None));
    assert!(said.contains("expected weight of shape [3], got [4]"), "{said}");
    let said = message(add_bias(&x, &c));
    assert!(said.contains("add_bias: expected bias of shape [3], got [4]"), "{said}");
    let three = Tensor::zeros(3, DType::F32, cpu)?;
    let said = message(group_norm(&x, &c, &three, 1, 1e-5, Activation::None));
    assert!(said.contains("group_norm: expected weight of shape [3], got [4]"), "{said}");
    let said = message(ghost_batch_norm_train(&x, &c, &three, 2, 1e-5, Activation::None));
    assert!(said.contains("ghost_batch_norm: expected weight of shape [3], got [4]"), "{said}");
    let said = message(ghost_batch_norm_train(&x, &three, &three, 0, 1e-5, Activation::None));
    assert!(said.contains("splits is 0, expected at least 1"), "{said}");
    let said = message(layer_norm(&x, &three, &three, 1e-5, Activation::None));
    assert!(said.contains("layer_norm: expected weight of shape [5, 4, 3], got [3]"), "{said}");
    let said = message(group_norm(&x, &three, &three, 2, 1e-5, Activation::None));
    assert!(said.contains("`channels` has 3 values, which is no multiple of 2"), "{said}");
    let said = message(group_norm(&three, &three, &three, 1, 1e-5, Activation::None));
    assert!(said.contains("expected input of shape (N, ..., C), got [3]"), "{said}");
    assert!(message(gelu(&x.to_dtype(DType::F64)?)).contains("expected input of type F32, got F64"));
    let logits = Tensor::zeros((2, 10), DType::F32, cpu)?;
    let said = message(cross_entropy(&logits, &Tensor::new(&[3u32, 10], cpu)?, 0.0));
    assert!(said.contains("10"), "{said}");
    Ok(())
}

#[test]
fn strided_inputs_are_read_in_their_own_order() -> Result<()> {
    let nchw = Tensor::arange(0f32, 24., &Device::Cpu)?.reshape((1, 2, 3, 4))?;
    let nhwc = nchw.permute((0, 2, 3, 1))?; // a view
    assert!(!nhwc.is_contiguous());
    let got: Vec<f32> = relu(&nhwc)?.flatten_all()?.to_vec1()?;
    let want: Vec<f32> = nhwc.contiguous()?.flatten_all()?.to_vec1()?;
    assert_eq!(got, want);
    Ok(())
}

#[test]
fn no_grad_nests_and_ends() -> Result<()> {
    let x = Var::new(&[1f32, -1.], &Device::Cpu)?;
    no_grad(|| no_grad(|| ()));
    assert!(!no_grad(|| relu(&x))?.track_op());
    assert!(relu(&x)?.track_op());
    Ok(())
}

#[test]
fn both_sides_of_a_residual_get_the_gradient_once_each() -> Result<()> {
    // y = relu(x + x): dy/dx = 2 where x > 0. The two gradients share storage, which must not make them add up twice.
    let x = Var::new(&[[1f32, -1.]], &Device::Cpu)?;
    let g = add_relu(&x, &x)?.sum_all()?.backward()?;
    assert_eq!(g.get(&x).unwrap().to_vec2::<f32>()?, [[2.0, 0.0]]);
    Ok(())
}
