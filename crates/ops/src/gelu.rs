//! The Gaussian error linear unit (Hendrycks & Gimpel 2016, <https://arxiv.org/abs/1606.08415>).

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use crate::apply::{apply1, input, output, slice, tensor, with_slice};
use crate::error::kernel;

const OP: &str = "gelu";

/// `x·Φ(x)`, elementwise, for any shape; Φ is the distribution function of the standard normal distribution.
///
/// The exact one, as PyTorch's `F.gelu(x)`, to within 2e-7. (Candle's own `gelu` is the tanh approximation, which
/// is off by up to 5e-4.)
///
/// # Errors
/// Another type or device.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return crate::cuda::gelu(x);
    }
    apply1(&input(OP, "input", x)?, Gelu)
}

struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        OP
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(OP, x, lx)?;
        let mut y = vec![0.0; x.len()];
        wick_kernels::gelu_forward(x, &mut y).map_err(kernel(OP))?;
        Ok(output(y, lx.shape()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let mut dx = vec![0.0; x.elem_count()];
        with_slice(OP, x, |x| {
            with_slice(OP, &dy.contiguous()?, |dy| {
                wick_kernels::gelu_backward(x, dy, &mut dx).map_err(kernel(OP))
            })
        })?;
        tensor(dx, x.shape()).map(Some)
    }
}
