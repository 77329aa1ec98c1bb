//! ReLU, alone and after a residual addition.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use crate::apply::{apply1, apply2, expect_shape, input, output, slice, tensor, with_slice};
use crate::error::kernel;
use crate::guided::ReluGradient;
use wick_kernels::Activation;

/// `max(x, 0)`, elementwise, for any shape. The gradient at 0 is 0, as in PyTorch.
///
/// # Errors
/// Another type or device.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    let gradient = ReluGradient::now(Activation::Relu);
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return crate::cuda::relu(x, gradient);
    }
    apply1(&input("relu", "input", x)?, Relu(gradient))
}

/// `max(a + b, 0)` of two tensors of one shape: a residual block's end in one pass.
///
/// # Errors
/// Shapes that differ; another type or device.
pub fn add_relu(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    expect_shape("add_relu", "second input", b, a.dims())?;
    let gradient = ReluGradient::now(Activation::Relu);
    #[cfg(feature = "cuda")]
    if a.device().is_cuda() {
        return crate::cuda::add_relu(a, b, gradient);
    }
    let op = AddRelu(gradient);
    apply2(&input("add_relu", "first input", a)?, &input("add_relu", "second input", b)?, op)
}

fn relu_gradient(op: &'static str, y: &Tensor, dy: &Tensor, gradient: ReluGradient) -> Result<Tensor> {
    let mut dx = vec![0.0; y.elem_count()];
    with_slice(op, y, |y| {
        with_slice(op, &gradient.of(dy)?, |dy| {
            wick_kernels::relu_backward(y, dy, &mut dx).map_err(kernel(op))
        })
    })?;
    tensor(dx, y.shape())
}

struct Relu(ReluGradient);

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice("relu", x, lx)?;
        let mut y = vec![0.0; x.len()];
        wick_kernels::relu_forward(x, &mut y).map_err(kernel("relu"))?;
        Ok(output(y, lx.shape()))
    }

    fn bwd(&self, _: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        relu_gradient("relu", y, dy, self.0).map(Some)
    }
}

struct AddRelu(ReluGradient);

impl CustomOp2 for AddRelu {
    fn name(&self) -> &'static str {
        "add_relu"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        la: &Layout,
        b: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (a, b) = (slice("add_relu", a, la)?, slice("add_relu", b, lb)?);
        let mut y = vec![0.0; a.len()];
        wick_kernels::add_relu_forward(a, b, &mut y).map_err(kernel("add_relu"))?;
        Ok(output(y, la.shape()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        // One gradient serves both: tensors share their storage.
        let gradient = relu_gradient("add_relu", y, dy, self.0)?;
        Ok((Some(gradient.clone()), Some(gradient)))
    }
}
