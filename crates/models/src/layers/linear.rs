//! The last layer.

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::uniform_by_fan_in;
use crate::summary::Outline;

/// `y = x·Wᵀ + b`, or without `b`.
///
/// Parameters `weight` `(out, in)` and `bias` `(out)`, both at the start uniform in `±1/√in`.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// Takes `weight` and `bias` from `vb`.
    ///
    /// # Errors
    /// Parameters that `vb` cannot give in these shapes.
    pub fn new(inputs: usize, outputs: usize, vb: VarBuilder) -> Result<Self> {
        let start = uniform_by_fan_in(inputs);
        let weight = vb.get_with_hints((outputs, inputs), "weight", start)?;
        let bias = vb.get_with_hints(outputs, "bias", start)?;
        Ok(Self { weight, bias: Some(bias) })
    }

    /// Takes `weight` alone from `vb`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn without_bias(inputs: usize, outputs: usize, vb: VarBuilder) -> Result<Self> {
        let weight = vb.get_with_hints((outputs, inputs), "weight", uniform_by_fan_in(inputs))?;
        Ok(Self { weight, bias: None })
    }

    pub(crate) fn outline(&self, outline: &mut Outline, name: &str, batch: usize) -> Result<[usize; 2]> {
        let output = [batch, self.weight.dim(0)?];
        let parameters = self.weight.elem_count() + self.bias.as_ref().map_or(0, Tensor::elem_count);
        outline.leaf(name, "Linear", &output, parameters, parameters * batch);
        Ok(output)
    }
}

impl Module for Linear {
    /// `(N, in)` to `(N, out)`.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        wick_ops::linear(x, &self.weight, self.bias.as_ref())
    }
}
