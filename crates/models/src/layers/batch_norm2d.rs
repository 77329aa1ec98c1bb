//! Batch normalisation with running statistics.

use candle_core::{Result, Tensor, Var};
use candle_nn::{Init, VarBuilder};
use wick_ops::{Activation, BatchStatistics};

use crate::model::Mode;
use crate::summary::Outline;

/// The constants of a batch normalisation, by default PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormOptions {
    /// Added to the variance under the root: 1e-5.
    pub eps: f64,
    /// The weight `m` of the newest batch in `running ← (1 − m)·running + m·batch`: 0.1.
    ///
    /// PyTorch's `momentum`; TensorFlow's momentum is `1 − m`.
    pub update: f64,
    /// Whether the scale is learnt: [`Scale::Learned`].
    pub scale: Scale,
}

/// What becomes of a normalisation's `weight` in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Its gradient is computed, for an optimiser to use.
    Learned,
    /// It has no gradient.
    Frozen,
}

impl Default for BatchNormOptions {
    fn default() -> Self {
        Self { eps: 1e-5, update: 0.1, scale: Scale::Learned }
    }
}

/// Normalises each channel over the batch and the map, then scales and shifts it (Ioffe & Szegedy 2015,
/// <https://arxiv.org/abs/1502.03167>).
///
/// Parameters `weight` (at the start 1) and `bias` (0), buffers `running_mean` (0) and `running_var` (1), all `(C)`.
/// Training normalises with the batch's mean and biased variance, and updates the buffers by
/// `running ← (1 − m)·running + m·batch`, the variance unbiased; evaluation normalises with the buffers.
#[derive(Debug, Clone)]
pub struct BatchNorm2d {
    weight: Tensor,
    bias: Tensor,
    running_mean: Var,
    running_var: Var,
    options: BatchNormOptions,
}

impl BatchNorm2d {
    /// Takes the parameters and buffers of `channels` channels from `vb`.
    ///
    /// Buffers that `vb` gives as variables are shared with it; others are copied.
    ///
    /// # Errors
    /// Tensors that `vb` cannot give in this shape.
    pub fn new(channels: usize, options: BatchNormOptions, vb: VarBuilder) -> Result<Self> {
        let get = |name, start| vb.get_with_hints(channels, name, Init::Const(start));
        let weight = get("weight", 1.0)?;
        Ok(Self {
            weight: match options.scale {
                Scale::Learned => weight,
                // Of the same memory: setting the variable still changes it.
                Scale::Frozen => weight.detach(),
            },
            bias: get("bias", 0.0)?,
            running_mean: Var::from_tensor(&get("running_mean", 0.0)?)?,
            running_var: Var::from_tensor(&get("running_var", 1.0)?)?,
            options,
        })
    }

    /// Normalises `x` `(N, H, W, C)`, then applies `activation`; in [`Mode::Train`] updates the running statistics.
    ///
    /// # Errors
    /// Another number of channels.
    pub fn forward(&self, x: &Tensor, mode: Mode, activation: Activation) -> Result<Tensor> {
        let Self { weight, bias, options, .. } = self;
        match mode {
            Mode::Train => {
                let (y, batch) = wick_ops::batch_norm_train(x, weight, bias, options.eps, activation)?;
                self.update(&batch)?;
                Ok(y)
            }
            Mode::Evaluate => {
                let (mean, var) = (self.running_mean.as_tensor(), self.running_var.as_tensor());
                wick_ops::batch_norm_eval(x, weight, bias, mean, var, options.eps, activation)
            }
        }
    }

    fn update(&self, batch: &BatchStatistics) -> Result<()> {
        let m = self.options.update;
        for (running, batch) in [(&self.running_mean, &batch.mean), (&self.running_var, &batch.variance)] {
            let kept = (running.as_detached_tensor() * (1.0 - m))?;
            running.set(&(kept + (batch.detach() * m)?)?)?;
        }
        Ok(())
    }

    pub(crate) fn outline(&self, outline: &mut Outline, name: &str, input: [usize; 4]) -> [usize; 4] {
        let parameters = self.weight.elem_count() + self.bias.elem_count();
        outline.leaf(name, "BatchNorm2d", &input, parameters, parameters * input[0]);
        input
    }
}
