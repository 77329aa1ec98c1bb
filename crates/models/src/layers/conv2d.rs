//! Convolution without bias.

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;
use wick_ops::Conv2dOptions;

use super::uniform_by_fan_in;
use crate::summary::Outline;

/// A convolution with square filters and no bias, which the normalisation behind it would cancel.
///
/// Parameter `weight`: `(K, K, C_in, C_out)` in memory, `(C_out, C_in, K, K)` on disk; at the start uniform in
/// `±1/√(C_in·K·K)`.
#[derive(Debug, Clone)]
pub struct Conv2d {
    weight: Tensor,
    options: Conv2dOptions,
}

impl Conv2d {
    /// Takes `weight` from `vb`: `kernel` × `kernel` filters from `c_in` to `c_out` channels.
    ///
    /// # Errors
    /// A weight that `vb` cannot give in this shape.
    pub fn new(
        c_in: usize,
        c_out: usize,
        kernel: usize,
        options: Conv2dOptions,
        vb: VarBuilder,
    ) -> Result<Self> {
        let start = uniform_by_fan_in(c_in * kernel * kernel);
        let weight = vb.get_with_hints((kernel, kernel, c_in, c_out), "weight", start)?;
        Ok(Self { weight, options })
    }

    pub(crate) fn outline(
        &self,
        outline: &mut Outline,
        name: &str,
        [n, h, w, _]: [usize; 4],
    ) -> Result<[usize; 4]> {
        let (kernel, _, _, c_out) = self.weight.dims4()?;
        let side =
            |x: usize| (x + 2 * self.options.padding).saturating_sub(kernel) / self.options.stride.max(1) + 1;
        let output = [n, side(h), side(w), c_out];
        let parameters = self.weight.elem_count();
        outline.leaf(name, "Conv2d", &output, parameters, parameters * n * side(h) * side(w));
        Ok(output)
    }
}

impl Module for Conv2d {
    /// `(N, H, W, C_in)` to `(N, H', W', C_out)`.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        wick_ops::conv2d(x, &self.weight, self.options)
    }
}
