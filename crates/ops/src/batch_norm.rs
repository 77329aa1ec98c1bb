//! Batch normalisation (Ioffe & Szegedy 2015, <https://arxiv.org/abs/1502.03167>), its activation fused.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use wick_kernels::{Activation, NormAffine, NormStatistics};

use crate::apply::{apply3, expect_shape, input, output, slice, tensor, with_slice};
use crate::error::{OpsError, kernel};
use crate::guided::ReluGradient;
use crate::norm::{Passed, norm_gradients};

const OP: &str = "batch_norm";

/// Statistics of one batch, per channel, for the running averages. They carry no gradient.
#[derive(Debug, Clone)]
pub struct BatchStatistics {
    /// Mean over `N·H·W`, shape `(C)`.
    pub mean: Tensor,
    /// Unbiased variance (divided by `N·H·W − 1`), shape `(C)`, as PyTorch accumulates it; with a single row, NaN.
    pub variance: Tensor,
}

/// Normalises with the batch's own mean and biased variance over all axes but the last:
/// `y = activation((x − mean) / √(variance + eps) · weight + bias)`.
///
/// `x` is `(…, C)`, usually `(N, H, W, C)`; `weight` and `bias` are `(C)`. Gradients flow to all three, through the
/// statistics too.
///
/// # Errors
/// Other shapes, types or devices; a batch without rows.
pub fn batch_norm_train(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<(Tensor, BatchStatistics)> {
    let (channels, rows) = channels_last(x)?;
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        expect_affine(weight, bias, channels)?;
        let ending = crate::cuda::Ending::now(eps, activation);
        let (y, [mean, variance]) = crate::cuda::batch_norm_train(OP, [x, weight, bias], ending)?;
        return Ok((y, BatchStatistics { mean, variance }));
    }
    let x = input(OP, "input", x)?;
    let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
    with_slice(OP, &x, |x| {
        wick_kernels::batch_norm_statistics(x, &mut mean, &mut variance).map_err(kernel(OP))
    })?;
    let to_unbiased = rows as f64 / (rows as f64 - 1.0);
    let unbiased = variance.iter().map(|&v| (f64::from(v) * to_unbiased) as f32).collect();
    let statistics =
        BatchStatistics { mean: tensor(mean.clone(), channels)?, variance: tensor(unbiased, channels)? };
    let op = BatchNorm {
        mean,
        variance,
        eps: eps as f32,
        activation,
        relu: ReluGradient::now(activation),
        statistics: Statistics::OfTheBatch,
    };
    Ok((apply(&x, weight, bias, channels, op)?, statistics))
}

/// Normalises with given statistics, as in evaluation; shapes as in [`batch_norm_train`], the statistics `(C)`.
///
/// Gradients flow to `x`, `weight` and `bias`; the statistics are constants.
///
/// # Errors
/// Other shapes, types or devices.
pub fn batch_norm_eval(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    running_mean: &Tensor,
    running_var: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<Tensor> {
    let (channels, _) = channels_last(x)?;
    expect_shape(OP, "running_mean", running_mean, &[channels])?;
    expect_shape(OP, "running_var", running_var, &[channels])?;
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        expect_affine(weight, bias, channels)?;
        let ending = crate::cuda::Ending::now(eps, activation);
        return crate::cuda::batch_norm_eval(OP, [x, weight, bias], [running_mean, running_var], ending);
    }
    let mean = input(OP, "running_mean", running_mean)?.to_vec1()?;
    let variance = input(OP, "running_var", running_var)?.to_vec1()?;
    let op = BatchNorm {
        mean,
        variance,
        eps: eps as f32,
        activation,
        relu: ReluGradient::now(activation),
        statistics: Statistics::Frozen,
    };
    apply(&input(OP, "input", x)?, weight, bias, channels, op)
}

fn channels_last(x: &Tensor) -> Result<(usize, usize)> {
    match x.dims() {
        [rows @ .., channels] if !rows.is_empty() => Ok((*channels, rows.iter().product())),
        got => {
            Err(OpsError::Rank { op: OP, tensor: "input", expected: "(N, ..., C)", got: got.to_vec() }.into())
        }
    }
}

fn expect_affine(weight: &Tensor, bias: &Tensor, channels: usize) -> Result<()> {
    expect_shape(OP, "weight", weight, &[channels])?;
    expect_shape(OP, "bias", bias, &[channels])
}

fn apply(x: &Tensor, weight: &Tensor, bias: &Tensor, channels: usize, op: BatchNorm) -> Result<Tensor> {
    expect_affine(weight, bias, channels)?;
    apply3(x, &input(OP, "weight", weight)?, &input(OP, "bias", bias)?, op)
}

/// Whether the statistics depend on the input, which their gradient then has to pass through.
enum Statistics {
    OfTheBatch,
    Frozen,
}

struct BatchNorm {
    mean: Vec<f32>,
    variance: Vec<f32>,
    eps: f32,
    activation: Activation,
    relu: ReluGradient,
    statistics: Statistics,
}

impl BatchNorm {
    fn statistics(&self) -> NormStatistics<'_> {
        NormStatistics { mean: &self.mean, variance: &self.variance, eps: self.eps }
    }
}

impl CustomOp3 for BatchNorm {
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
        let x = slice(OP, x, lx)?;
        let mut y = vec![0.0; x.len()];
        let (weight, bias) = (slice(OP, w, lw)?, slice(OP, b, lb)?);
        let affine = NormAffine { weight, bias, activation: self.activation };
        wick_kernels::batch_norm_normalise(x, self.statistics(), affine, &mut y).map_err(kernel(OP))?;
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
        let backward = match self.statistics {
            Statistics::OfTheBatch => wick_kernels::batch_norm_backward,
            Statistics::Frozen => wick_kernels::batch_norm_backward_frozen,
        };
        let passed = Passed { x, weight, bias, y, dy: &self.relu.of(dy)? };
        norm_gradients(OP, passed, (self.statistics(), self.activation), backward)
    }
}
