//! Two-dimensional convolution.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use wick_kernels::Conv2dShape;

use crate::apply::{apply2, input, nhwc, output, slice, tensor, with_slice};
use crate::error::{OpsError, kernel};

const OP: &str = "conv2d";

/// How a convolution steps over its input; the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Pixels between neighbouring outputs.
    pub stride: usize,
    /// Pixels of zeros added on each side.
    pub padding: usize,
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        Self { stride: 1, padding: 0 }
    }
}

/// Cross-correlation of images with filters, as PyTorch's `conv2d` without bias.
///
/// `x` is `(N, H, W, C_in)`, `weight` `(KH, KW, C_in, C_out)`; the result is `(N, H', W', C_out)` with
/// `H' = ⌊(H + 2·padding − KH) / stride⌋ + 1`, and `W'` likewise. Gradients flow to both.
///
/// # Errors
/// Other ranks, types or devices; channels that do not match; a filter larger than the padded image.
pub fn conv2d(x: &Tensor, weight: &Tensor, options: Conv2dOptions) -> Result<Tensor> {
    let [batch, height, width, in_channels] = nhwc(OP, x)?;
    let &[kh, kw, c, out_channels] = weight.dims() else {
        let got = weight.dims().to_vec();
        return Err(
            OpsError::Rank { op: OP, tensor: "weight", expected: "(KH, KW, C_in, C_out)", got }.into()
        );
    };
    if c != in_channels {
        let (expected, got) = (vec![kh, kw, in_channels, out_channels], weight.dims().to_vec());
        return Err(OpsError::Shape { op: OP, tensor: "weight", expected, got }.into());
    }
    let Conv2dOptions { stride, padding } = options;
    let shape =
        Conv2dShape { batch, height, width, in_channels, out_channels, kernel: [kh, kw], stride, padding };
    shape.checked().map_err(kernel(OP))?;
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return crate::cuda::conv2d(x, weight, shape);
    }
    apply2(&input(OP, "input", x)?, &input(OP, "weight", weight)?, Conv2d { shape })
}

struct Conv2d {
    shape: Conv2dShape,
}

impl CustomOp2 for Conv2d {
    fn name(&self) -> &'static str {
        OP
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let s = &self.shape;
        let mut y = vec![0.0; s.output_len()];
        wick_kernels::conv2d_forward(s, slice(OP, x, lx)?, slice(OP, w, lw)?, &mut y).map_err(kernel(OP))?;
        Ok(output(y, (s.batch, s.out_height(), s.out_width(), s.out_channels)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let s = &self.shape;
        with_slice(OP, &dy.contiguous()?, |dy| {
            // Images need no gradient; a network's first layer is spared that work.
            let dx = if x.track_op() {
                let mut dx = vec![0.0; s.input_len()];
                with_slice(OP, w, |w| {
                    wick_kernels::conv2d_input_gradient(s, dy, w, &mut dx).map_err(kernel(OP))
                })?;
                Some(tensor(dx, x.shape())?)
            } else {
                None
            };
            let dw = if w.track_op() {
                let mut dw = vec![0.0; s.weight_len()];
                with_slice(OP, x, |x| {
                    wick_kernels::conv2d_weight_gradient(s, x, dy, &mut dw).map_err(kernel(OP))
                })?;
                Some(tensor(dw, w.shape())?)
            } else {
                None
            };
            Ok((dx, dw))
        })
    }
}
