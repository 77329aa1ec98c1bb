//! Group and layer normalisation.

use candle_core::{Result, Tensor};
use candle_nn::{Init, VarBuilder};
use wick_ops::Activation;

use crate::summary::Outline;

/// The constants of a group normalisation, by default those of the layer normalisation: one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupNormOptions {
    /// Groups of neighbouring channels, each normalised by itself: 1. They must divide the channels.
    pub groups: usize,
    /// Added to the variance under the root: 1e-5.
    pub eps: f64,
}

impl Default for GroupNormOptions {
    fn default() -> Self {
        Self { groups: 1, eps: 1e-5 }
    }
}

/// Normalises each image by itself, over the map and a group of channels, then scales and shifts each channel (Wu & He
/// 2018, <https://arxiv.org/abs/1803.08494>). With one group it is PyTorch's `GroupNorm(1, C)`, the layer normalisation over
/// `(C, H, W)` with a scale and a bias per channel.
///
/// Parameters `weight` (at the start 1) and `bias` (0), both `(C)`. Training and evaluation are the same.
#[derive(Debug, Clone)]
pub struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
    options: GroupNormOptions,
}

impl GroupNorm {
    /// Takes the parameters of `channels` channels from `vb`.
    ///
    /// # Errors
    /// Groups that do not divide the channels; tensors that `vb` cannot give in this shape.
    pub fn new(channels: usize, options: GroupNormOptions, vb: VarBuilder) -> Result<Self> {
        if options.groups == 0 || !channels.is_multiple_of(options.groups) {
            candle_core::bail!("expected groups that divide {channels} channels, got {}", options.groups);
        }
        let get = |name, start| vb.get_with_hints(channels, name, Init::Const(start));
        Ok(Self { weight: get("weight", 1.0)?, bias: get("bias", 0.0)?, options })
    }

    /// Normalises `x` `(N, H, W, C)`, then applies `activation`.
    ///
    /// # Errors
    /// Another number of channels.
    pub fn forward(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        let GroupNormOptions { groups, eps } = self.options;
        wick_ops::group_norm(x, &self.weight, &self.bias, groups, eps, activation)
    }

    pub(crate) fn outline(&self, outline: &mut Outline, name: &str, input: [usize; 4]) -> [usize; 4] {
        let parameters = self.weight.elem_count() + self.bias.elem_count();
        outline.leaf(name, "GroupNorm", &input, parameters, parameters * input[0]);
        input
    }
}
