//! Ghost batch normalisation with running statistics of each split.

use candle_core::{Result, Tensor, Var};
use candle_nn::{Init, VarBuilder};
use wick_ops::{Activation, GhostBatchStatistics};

use super::{BatchNormOptions, Scale};
use crate::model::Mode;
use crate::summary::Outline;

/// The constants of a ghost batch normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GhostBatchNormOptions {
    /// Parts of the batch: image `i` belongs to number `i mod splits`. 2 by default.
    pub splits: usize,
    /// Of each part.
    pub batch_norm: BatchNormOptions,
}

impl Default for GhostBatchNormOptions {
    fn default() -> Self {
        Self { splits: 2, batch_norm: BatchNormOptions::default() }
    }
}

/// A batch normalisation of each of several parts of the batch by itself (Hoffer, Hubara & Soudry 2017,
/// <https://arxiv.org/abs/1705.08741>).
///
/// Parameters `weight` (at the start 1) and `bias` (0), both `(C)`; buffers `running_mean` (0) and `running_var` (1), both
/// `(splits · C)`, part by part: names and shapes are those of Page's `GhostBatchNorm(nn.BatchNorm2d)`
/// (<https://github.com/davidcpage/cifar10-fast>). Training normalises each part with its own mean and biased variance, and
/// updates the part's buffers by `running ← (1 − m)·running + m·part`, the variance unbiased; evaluation normalises with the
/// mean of the buffers over the parts.
///
/// A batch need not be a multiple of `splits`: a part may have an image less than another, or none. With fewer than two values
/// a channel it has no unbiased variance, and its buffers stay as they are.
#[derive(Debug, Clone)]
pub struct GhostBatchNorm2d {
    weight: Tensor,
    bias: Tensor,
    running_mean: Var,
    running_var: Var,
    options: GhostBatchNormOptions,
}

impl GhostBatchNorm2d {
    /// Takes the parameters and buffers of `channels` channels from `vb`.
    ///
    /// Buffers that `vb` gives as variables are shared with it; others are copied.
    ///
    /// # Errors
    /// No splits; tensors that `vb` cannot give in this shape.
    pub fn new(channels: usize, options: GhostBatchNormOptions, vb: VarBuilder) -> Result<Self> {
        let Some(statistics) = options.splits.checked_mul(channels).filter(|_| options.splits > 0) else {
            candle_core::bail!("a ghost batch norm needs at least one split, got {}", options.splits);
        };
        let get = |n: usize, name, start| vb.get_with_hints(n, name, Init::Const(start));
        let weight = get(channels, "weight", 1.0)?;
        Ok(Self {
            weight: match options.batch_norm.scale {
                Scale::Learned => weight,
                // Of the same memory: setting the variable still changes it.
                Scale::Frozen => weight.detach(),
            },
            bias: get(channels, "bias", 0.0)?,
            running_mean: Var::from_tensor(&get(statistics, "running_mean", 0.0)?)?,
            running_var: Var::from_tensor(&get(statistics, "running_var", 1.0)?)?,
            options,
        })
    }

    /// Normalises `x` `(N, H, W, C)`, then applies `activation`; in [`Mode::Train`] updates the running statistics.
    ///
    /// # Errors
    /// Another number of channels.
    pub fn forward(&self, x: &Tensor, mode: Mode, activation: Activation) -> Result<Tensor> {
        let Self { weight, bias, options: GhostBatchNormOptions { splits, batch_norm }, .. } = self;
        match mode {
            Mode::Train => {
                let (y, batch) =
                    wick_ops::ghost_batch_norm_train(x, weight, bias, *splits, batch_norm.eps, activation)?;
                self.update(&batch)?;
                Ok(y)
            }
            Mode::Evaluate => {
                let average = |running: &Var| {
                    running.as_detached_tensor().reshape((*splits, weight.elem_count()))?.mean(0)
                };
                let (mean, var) = (average(&self.running_mean)?, average(&self.running_var)?);
                wick_ops::batch_norm_eval(x, weight, bias, &mean, &var, batch_norm.eps, activation)
            }
        }
    }

    fn update(&self, batch: &GhostBatchStatistics) -> Result<()> {
        let m = self.options.batch_norm.update;
        // Those that have something to learn are the first ones: no split has more images than an earlier one.
        let learnt = batch.values.iter().filter(|values| **values >= 2).count();
        for (running, batch) in [(&self.running_mean, &batch.mean), (&self.running_var, &batch.variance)] {
            let old = running.as_detached_tensor().reshape(batch.shape())?;
            let new = ((old.narrow(0, 0, learnt)? * (1.0 - m))? + (batch.narrow(0, 0, learnt)? * m)?)?;
            let kept = old.narrow(0, learnt, self.options.splits - learnt)?;
            running.set(&Tensor::cat(&[new, kept], 0)?.flatten_all()?)?;
        }
        Ok(())
    }

    pub(crate) fn outline(&self, outline: &mut Outline, name: &str, input: [usize; 4]) -> [usize; 4] {
        let parameters = self.weight.elem_count() + self.bias.elem_count();
        outline.leaf(name, "GhostBatchNorm", &input, parameters, parameters * input[0]);
        input
    }
}
