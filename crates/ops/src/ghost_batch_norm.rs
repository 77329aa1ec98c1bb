//! Ghost batch normalisation (Hoffer, Hubara & Soudry 2017, <https://arxiv.org/abs/1705.08741>), its activation fused.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use wick_kernels::{Activation, GhostBatchNormShape, NormAffine, NormStatistics};

use crate::apply::{apply3, expect_shape, input, output, slice, tensor, with_slice};
use crate::error::{OpsError, kernel};
use crate::guided::ReluGradient;
use crate::norm::{Passed, norm_gradients};

const OP: &str = "ghost_batch_norm";

/// Statistics of one batch, per split and channel, for the running averages. They carry no gradient.
#[derive(Debug, Clone)]
pub struct GhostBatchStatistics {
    /// Means, shape `(splits, C)`; 0 in a split without images.
    pub mean: Tensor,
    /// Unbiased variances (divided by one less than there are values), shape `(splits, C)`; 0 where there is no second value.
    pub variance: Tensor,
    /// Values of each channel in each split: those with fewer than two have no variance to learn from.
    pub values: Vec<usize>,
}

/// Normalises each of `splits` parts of the batch with its own mean and biased variance: image `i` belongs to part `i mod splits`.
/// `y = activation((x − mean) / √(variance + eps) · weight + bias)`.
///
/// `x` is `(N, …, C)`, usually `(N, H, W, C)`; `weight` and `bias` are `(C)`. Gradients flow to all three, through the statistics
/// too. N need not be a multiple of `splits`: a part may have an image less than another, or none. A channel's only value
/// in its part becomes `activation(bias)`, and no gradient flows to it.
///
/// # Errors
/// Other shapes, types or devices; no splits.
pub fn ghost_batch_norm_train(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    splits: usize,
    eps: f64,
    activation: Activation,
) -> Result<(Tensor, GhostBatchStatistics)> {
    let &[batch, ref positions @ .., channels] = x.dims() else {
        let got = x.dims().to_vec();
        return Err(OpsError::Rank { op: OP, tensor: "input", expected: "(N, ..., C)", got }.into());
    };
    let shape = GhostBatchNormShape { batch, positions: positions.iter().product(), channels, splits };
    shape.checked().map_err(kernel(OP))?;
    expect_shape(OP, "weight", weight, &[channels])?;
    expect_shape(OP, "bias", bias, &[channels])?;
    let values: Vec<usize> = (0..splits).map(|split| shape.values(split)).collect();
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        let ending = crate::cuda::Ending::now(eps, activation);
        let (y, [mean, variance]) =
            crate::cuda::ghost_batch_norm_train(OP, [x, weight, bias], shape, ending)?;
        return Ok((y, GhostBatchStatistics { mean, variance, values }));
    }
    let x = input(OP, "input", x)?;
    let n = shape.statistics_len();
    let (mut mean, mut variance) = (vec![0.0; n], vec![0.0; n]);
    with_slice(OP, &x, |x| {
        wick_kernels::ghost_batch_norm_statistics(&shape, x, &mut mean, &mut variance).map_err(kernel(OP))
    })?;
    let unbiased = |(i, v): (usize, &f32)| {
        let values = values[i / channels] as f64;
        (f64::from(*v) * values / (values - 1.0).max(1.0)) as f32
    };
    let unbiased = variance.iter().enumerate().map(unbiased).collect();
    let statistics = GhostBatchStatistics {
        mean: tensor(mean.clone(), (splits, channels))?,
        variance: tensor(unbiased, (splits, channels))?,
        values,
    };
    let op = GhostBatchNorm {
        shape,
        mean,
        variance,
        eps: eps as f32,
        activation,
        relu: ReluGradient::now(activation),
    };
    let y = apply3(&x, &input(OP, "weight", weight)?, &input(OP, "bias", bias)?, op)?;
    Ok((y, statistics))
}

struct GhostBatchNorm {
    shape: GhostBatchNormShape,
    mean: Vec<f32>,
    variance: Vec<f32>,
    eps: f32,
    activation: Activation,
    relu: ReluGradient,
}

impl GhostBatchNorm {
    fn statistics(&self) -> NormStatistics<'_> {
        NormStatistics { mean: &self.mean, variance: &self.variance, eps: self.eps }
    }
}

impl CustomOp3 for GhostBatchNorm {
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
        let (x, weight, bias) = (slice(OP, x, lx)?, slice(OP, w, lw)?, slice(OP, b, lb)?);
        let mut y = vec![0.0; x.len()];
        let affine = NormAffine { weight, bias, activation: self.activation };
        wick_kernels::ghost_batch_norm_normalise(&self.shape, x, self.statistics(), affine, &mut y)
            .map_err(kernel(OP))?;
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
        let passed = Passed { x, weight, bias, y, dy: &self.relu.of(dy)? };
        norm_gradients(OP, passed, (self.statistics(), self.activation), |pass, out| {
            wick_kernels::ghost_batch_norm_backward(&self.shape, pass, out)
        })
    }
}
