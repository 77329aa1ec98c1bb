//! A bias per channel.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use crate::apply::{apply2, expect_shape, input, output, slice, tensor, with_slice};
use crate::error::{OpsError, kernel};

const OP: &str = "add_bias";

/// `x + bias`: `x` is `(…, C)`, usually a convolution's output `(N, H, W, C)`, `bias` is `(C)`. Gradients flow to both.
///
/// # Errors
/// Other shapes, types or devices.
pub fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let Some(channels) = x.dims().last() else {
        let got = x.dims().to_vec();
        return Err(OpsError::Rank { op: OP, tensor: "input", expected: "(..., C)", got }.into());
    };
    expect_shape(OP, "bias", bias, &[*channels])?;
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return crate::cuda::add_bias(x, bias);
    }
    apply2(&input(OP, "input", x)?, &input(OP, "bias", bias)?, AddBias)
}

struct AddBias;

impl CustomOp2 for AddBias {
    fn name(&self) -> &'static str {
        OP
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = slice(OP, x, lx)?;
        let mut y = vec![0.0; x.len()];
        wick_kernels::bias_forward(x, slice(OP, bias, lb)?, &mut y).map_err(kernel(OP))?;
        Ok(output(y, lx.shape()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut dbias = vec![0.0; bias.elem_count()];
        with_slice(OP, &dy.contiguous()?, |dy| {
            wick_kernels::bias_backward(dy, &mut dbias).map_err(kernel(OP))
        })?;
        // What arrives is the input's gradient as it is: tensors share their storage.
        Ok((Some(dy.clone()), Some(tensor(dbias, bias.shape())?)))
    }
}
