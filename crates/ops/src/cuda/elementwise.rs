//! Rectifiers, GELU and a bias.

use candle_core::{CudaStorage, Result, Shape, Tensor};
use wick_cuda::raw::{Launch, Pointer};

use super::function::{Function, On, Pass};
use super::gpu::{Gpu, inputs};
use super::norm::channel_gradients;
use crate::apply::{apply1, apply2};
use crate::guided::ReluGradient;

pub(crate) fn relu(x: &Tensor, gradient: ReluGradient) -> Result<Tensor> {
    let [x] = inputs("relu", [("input", x)])?;
    let shape = x.shape().clone();
    apply1(&x, On(Relu { shape, gradient }))
}

pub(crate) fn add_relu(a: &Tensor, b: &Tensor, gradient: ReluGradient) -> Result<Tensor> {
    let [a, b] = inputs("add_relu", [("first input", a), ("second input", b)])?;
    let shape = a.shape().clone();
    apply2(&a, &b, On(AddRelu { shape, gradient }))
}

pub(crate) fn gelu(x: &Tensor) -> Result<Tensor> {
    let [x] = inputs("gelu", [("input", x)])?;
    let shape = x.shape().clone();
    apply1(&x, On(Gelu { shape }))
}

pub(crate) fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let [x, bias] = inputs("add_bias", [("input", x), ("bias", bias)])?;
    let shape = x.shape().clone();
    apply2(&x, &bias, On(AddBias { shape }))
}

struct Relu {
    shape: Shape,
    gradient: ReluGradient,
}

impl Function<1> for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn forward(&self, gpu: &Gpu, [x]: [Pointer; 1]) -> Result<(CudaStorage, Shape)> {
        let count = self.shape.elem_count();
        let y = gpu.values(count)?;
        gpu.run("relu", "relu", &Launch::over(count).with(x).with(count).with(gpu.address(&y)?))?;
        Ok((y, self.shape.clone()))
    }

    fn backward(&self, gpu: &Gpu, pass: Pass<'_, 1>) -> Result<[Option<Tensor>; 1]> {
        relu_gradient("relu", gpu, pass, self.gradient).map(|dx| [Some(dx)])
    }
}

struct AddRelu {
    shape: Shape,
    gradient: ReluGradient,
}

impl Function<2> for AddRelu {
    fn name(&self) -> &'static str {
        "add_relu"
    }

    fn forward(&self, gpu: &Gpu, [a, b]: [Pointer; 2]) -> Result<(CudaStorage, Shape)> {
        let count = self.shape.elem_count();
        let y = gpu.values(count)?;
        let launch = Launch::over(count).with(a).with(b).with(count).with(gpu.address(&y)?);
        gpu.run("add_relu", "add_relu", &launch)?;
        Ok((y, self.shape.clone()))
    }

    fn backward(&self, gpu: &Gpu, pass: Pass<'_, 2>) -> Result<[Option<Tensor>; 2]> {
        // One gradient serves both: tensors share their storage.
        let gradient = relu_gradient("add_relu", gpu, pass, self.gradient)?;
        Ok([Some(gradient.clone()), Some(gradient)])
    }
}

fn relu_gradient<const N: usize>(
    op: &'static str,
    gpu: &Gpu,
    pass: Pass<'_, N>,
    gradient: ReluGradient,
) -> Result<Tensor> {
    let count = pass.dy.elem_count();
    let dx = gpu.values(count)?;
    let launch = Launch::over(count).with(pass.y).with(pass.dy_at).with(gradient.flag());
    gpu.run(op, "relu_gradient", &launch.with(count).with(gpu.address(&dx)?))?;
    Ok(gpu.tensor(dx, pass.dy.shape()))
}

struct Gelu {
    shape: Shape,
}

impl Function<1> for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn forward(&self, gpu: &Gpu, [x]: [Pointer; 1]) -> Result<(CudaStorage, Shape)> {
        let count = self.shape.elem_count();
        let y = gpu.values(count)?;
        gpu.run("gelu", "gelu", &Launch::over(count).with(x).with(count).with(gpu.address(&y)?))?;
        Ok((y, self.shape.clone()))
    }

    fn backward(&self, gpu: &Gpu, pass: Pass<'_, 1>) -> Result<[Option<Tensor>; 1]> {
        let count = pass.dy.elem_count();
        let dx = gpu.values(count)?;
        let launch = Launch::over(count).with(pass.inputs[0]).with(pass.dy_at).with(count);
        gpu.run("gelu", "gelu_gradient", &launch.with(gpu.address(&dx)?))?;
        Ok([Some(gpu.tensor(dx, pass.dy.shape()))])
    }
}

struct AddBias {
    shape: Shape,
}

impl Function<2> for AddBias {
    fn name(&self) -> &'static str {
        "add_bias"
    }

    fn forward(&self, gpu: &Gpu, [x, bias]: [Pointer; 2]) -> Result<(CudaStorage, Shape)> {
        let count = self.shape.elem_count();
        let channels = self.shape.dims().last().copied().unwrap_or(1);
        let y = gpu.values(count)?;
        let launch = Launch::over(count).with(x).with(bias).with(channels).with(count);
        gpu.run("add_bias", "add_bias", &launch.with(gpu.address(&y)?))?;
        Ok((y, self.shape.clone()))
    }

    fn backward(&self, gpu: &Gpu, pass: Pass<'_, 2>) -> Result<[Option<Tensor>; 2]> {
        let dbias = channel_gradients(gpu, "add_bias", pass.dy, pass.dy_at)?;
        // What arrives is the input's gradient as it is: tensors share their storage.
        Ok([Some(pass.dy.clone()), Some(dbias)])
    }
}
