//! The fully connected layer.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use wick_kernels::LinearShape;

use crate::apply::{apply3, expect_shape, input, output, slice, tensor, with_slice};
use crate::error::{OpsError, kernel};

const OP: &str = "linear";

/// `x · weightᵀ + bias`: `x` is `(N, in)`, `weight` `(out, in)`, `bias` `(out)`; the result is `(N, out)`.
/// Gradients flow to all of them.
///
/// # Errors
/// Other shapes, types or devices.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let &[batch, in_features] = x.dims() else {
        let got = x.dims().to_vec();
        return Err(OpsError::Rank { op: OP, tensor: "input", expected: "(N, in)", got }.into());
    };
    let &[out_features, _] = weight.dims() else {
        let got = weight.dims().to_vec();
        return Err(OpsError::Rank { op: OP, tensor: "weight", expected: "(out, in)", got }.into());
    };
    expect_shape(OP, "weight", weight, &[out_features, in_features])?;
    if let Some(bias) = bias {
        expect_shape(OP, "bias", bias, &[out_features])?;
    }
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return crate::cuda::linear(x, weight, bias);
    }
    let bias = match bias {
        Some(bias) => bias.clone(),
        None => tensor(vec![0.0; out_features], out_features)?,
    };
    let shape = LinearShape { batch, in_features, out_features };
    apply3(
        &input(OP, "input", x)?,
        &input(OP, "weight", weight)?,
        &input(OP, "bias", &bias)?,
        Linear { shape },
    )
}

struct Linear {
    shape: LinearShape,
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        OP
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
        b: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let s = &self.shape;
        let mut y = vec![0.0; s.batch * s.out_features];
        let (x, w, b) = (slice(OP, x, lx)?, slice(OP, w, lw)?, slice(OP, b, lb)?);
        wick_kernels::linear_forward(s, x, w, Some(b), &mut y).map_err(kernel(OP))?;
        Ok(output(y, (s.batch, s.out_features)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut dx = vec![0.0; x.elem_count()];
        let (mut dw, mut db) = (vec![0.0; w.elem_count()], vec![0.0; b.elem_count()]);
        let dy = dy.contiguous()?;
        with_slice(OP, x, |x| {
            with_slice(OP, w, |w| {
                with_slice(OP, &dy, |dy| {
                    wick_kernels::linear_backward(&self.shape, x, w, dy, &mut dx, &mut dw, Some(&mut db))
                        .map_err(kernel(OP))
                })
            })
        })?;
        Ok((Some(tensor(dx, x.shape())?), Some(tensor(dw, w.shape())?), Some(tensor(db, b.shape())?)))
    }
}
