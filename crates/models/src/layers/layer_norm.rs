//! Layer normalisation with a scale and a bias for each value of a map.

use candle_core::{Result, Tensor};
use candle_nn::{Init, VarBuilder};
use wick_ops::Activation;

/// Normalises each image by itself over its whole map, then scales and shifts each value (Ba, Kiros & Hinton 2016,
/// <https://arxiv.org/abs/1607.06450>): PyTorch's `LayerNorm((C, H, W))`.
///
/// Parameters `weight` (at the start 1) and `bias` (0), both `(H, W, C)` in memory and `(C, H, W)` on disk. Training and
/// evaluation are the same. Maps have one size; with a scale and a bias a channel instead, which fit any, it is a
/// [`GroupNorm`](super::GroupNorm) of one group.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    /// Takes the parameters of maps `[H, W, C]` from `vb`. `eps` is added to the variance: 1e-5 in PyTorch.
    ///
    /// # Errors
    /// Tensors that `vb` cannot give in this shape.
    pub fn new(map: [usize; 3], eps: f64, vb: VarBuilder) -> Result<Self> {
        let get = |name, start| vb.get_with_hints(map.as_slice(), name, Init::Const(start));
        Ok(Self { weight: get("weight", 1.0)?, bias: get("bias", 0.0)?, eps })
    }

    /// Normalises `x` `(N, H, W, C)`, then applies `activation`.
    ///
    /// # Errors
    /// Maps of another size.
    pub fn forward(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        wick_ops::layer_norm(x, &self.weight, &self.bias, self.eps, activation)
    }
}
