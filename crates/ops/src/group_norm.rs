//! Group and layer normalisation (Wu & He 2018, <https://arxiv.org/abs/1803.08494>), their activation fused.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use wick_kernels::{Activation, GroupNormShape, NormAffine, NormStatistics};

use crate::apply::{apply3, expect_shape, input, output, slice};
use crate::error::{OpsError, kernel};
use crate::guided::ReluGradient;
use crate::norm::{Passed, norm_gradients};

const OP: &str = "group_norm";

/// Normalises each image by itself, over its positions and each of `groups` groups of neighbouring channels:
/// `y = activation((x − mean) / √(variance + eps) · weight + bias)`, the variance biased.
///
/// `x` is `(N, …, C)`, usually `(N, H, W, C)`; `weight` and `bias` are `(C)`. With one group it is the layer normalisation
/// over `(C, H, W)` with a scale and a bias per channel, PyTorch's `GroupNorm(1, C)`. Nothing depends on the rest
/// of the batch, so that training and evaluation are the same. Gradients flow to all three, through the statistics too.
///
/// # Errors
/// Other shapes, types or devices; channels that `groups` does not divide.
pub fn group_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    groups: usize,
    eps: f64,
    activation: Activation,
) -> Result<Tensor> {
    let &[batch, ref positions @ .., channels] = x.dims() else {
        let got = x.dims().to_vec();
        return Err(OpsError::Rank { op: OP, tensor: "input", expected: "(N, ..., C)", got }.into());
    };
    let shape = GroupNormShape { batch, positions: positions.iter().product(), channels, groups };
    shape.checked().map_err(kernel(OP))?;
    expect_shape(OP, "weight", weight, &[channels])?;
    expect_shape(OP, "bias", bias, &[channels])?;
    apply(OP, shape, [x, weight, bias], eps, activation)
}

/// Normalises each image by itself, over all of it, with a scale and a bias for each of its values:
/// `y = activation((x − mean) / √(variance + eps) · weight + bias)`, the variance biased (Ba, Kiros & Hinton 2016,
/// <https://arxiv.org/abs/1607.06450>).
///
/// `x` is `(N, …)`, usually `(N, H, W, C)`; `weight` and `bias` have an image's shape, `(H, W, C)`. It is PyTorch's
/// `LayerNorm((C, H, W))`, channels last. Gradients flow to all three, through the statistics too.
///
/// # Errors
/// Other shapes, types or devices; images without values.
pub fn layer_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<Tensor> {
    const OP: &str = "layer_norm";
    let &[batch, ref image @ ..] = x.dims() else {
        return Err(OpsError::Rank { op: OP, tensor: "input", expected: "(N, ...)", got: vec![] }.into());
    };
    let shape = GroupNormShape::layer(batch, image.iter().product());
    shape.checked().map_err(kernel(OP))?;
    expect_shape(OP, "weight", weight, image)?;
    expect_shape(OP, "bias", bias, image)?;
    apply(OP, shape, [x, weight, bias], eps, activation)
}

fn apply(
    name: &'static str,
    shape: GroupNormShape,
    [x, weight, bias]: [&Tensor; 3],
    eps: f64,
    activation: Activation,
) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        let ending = crate::cuda::Ending::now(eps, activation);
        return crate::cuda::group_norm(name, [x, weight, bias], shape, ending);
    }
    let op = GroupNorm {
        name,
        shape,
        eps: eps as f32,
        activation,
        relu: ReluGradient::now(activation),
        statistics: OnceLock::new(),
    };
    apply3(&input(name, "input", x)?, &input(name, "weight", weight)?, &input(name, "bias", bias)?, op)
}

struct GroupNorm {
    name: &'static str,
    shape: GroupNormShape,
    eps: f32,
    activation: Activation,
    relu: ReluGradient,
    /// Mean and variance of each group: written by the forward pass, read by the backward pass.
    statistics: OnceLock<(Vec<f32>, Vec<f32>)>,
}

impl CustomOp3 for GroupNorm {
    fn name(&self) -> &'static str {
        self.name
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
        let (x, weight, bias) =
            (slice(self.name, x, lx)?, slice(self.name, w, lw)?, slice(self.name, b, lb)?);
        let mut y = vec![0.0; x.len()];
        let n = self.shape.statistics_len();
        let (mut mean, mut variance) = (vec![0.0; n], vec![0.0; n]);
        let affine = NormAffine { weight, bias, activation: self.activation };
        let Self { shape, eps, .. } = self;
        wick_kernels::group_norm_forward(shape, x, affine, *eps, &mut y, &mut mean, &mut variance)
            .map_err(kernel(self.name))?;
        self.statistics.get_or_init(|| (mean, variance));
        Ok(output(y, lx.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (mean, variance) = self.statistics.get().ok_or(OpsError::NoForward { op: self.name })?;
        let statistics = NormStatistics { mean, variance, eps: self.eps };
        let passed = Passed { x, weight, bias, y, dy: &self.relu.of(dy)? };
        norm_gradients(self.name, passed, (statistics, self.activation), |pass, out| {
            wick_kernels::group_norm_backward(&self.shape, pass, out)
        })
    }
}
