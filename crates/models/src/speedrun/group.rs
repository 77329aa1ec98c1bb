//! A group of two convolutions.

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

use crate::layers::{Activation, BatchNorm2d, BatchNormOptions, Conv2d, Conv2dOptions, max_pool, max_pooled};
use crate::model::Mode;
use crate::summary::Outline;

/// Side of the squares that are pooled.
pub(super) const POOL: usize = 2;
/// The numbers of the convolutions in the group.
pub(super) const CONVOLUTIONS: [&str; 2] = ["0", "4"];
/// The numbers of the normalisations in the group.
pub(super) const NORMS: [&str; 2] = ["2", "5"];

/// `gelu(bn(conv(gelu(bn(pool(conv(x)))))))`, the convolutions 3×3, the max-pooling 2×2.
///
/// Its parts are numbered as in a `Sequential` of these seven: the convolutions are `0` and `4`, the normalisations `2`
/// and `5`.
#[derive(Debug, Clone)]
pub(super) struct Group {
    convs: [Conv2d; 2],
    norms: [BatchNorm2d; 2],
}

impl Group {
    pub(super) fn new(c_in: usize, c_out: usize, norm: BatchNormOptions, vb: VarBuilder) -> Result<Self> {
        let conv =
            |c_in, name| Conv2d::new(c_in, c_out, 3, Conv2dOptions { stride: 1, padding: 1 }, vb.pp(name));
        let bn = |name| BatchNorm2d::new(c_out, norm, vb.pp(name));
        let (conv1, bn1) = (conv(c_in, CONVOLUTIONS[0])?, bn(NORMS[0])?);
        Ok(Self { convs: [conv1, conv(c_out, CONVOLUTIONS[1])?], norms: [bn1, bn(NORMS[1])?] })
    }

    pub(super) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let x = max_pool(&self.convs[0].forward(x)?, POOL)?;
        let x = wick_ops::gelu(&self.norms[0].forward(&x, mode, Activation::None)?)?;
        let x = self.convs[1].forward(&x)?;
        wick_ops::gelu(&self.norms[1].forward(&x, mode, Activation::None)?)
    }

    pub(super) fn outline(&self, outline: &mut Outline, name: &str, input: [usize; 4]) -> Result<[usize; 4]> {
        outline.group(name, "Sequential", |outline| {
            let x = max_pooled(self.convs[0].outline(outline, "0", input)?, POOL);
            let x = self.norms[0].outline(outline, NORMS[0], x);
            let x = self.convs[1].outline(outline, "4", x)?;
            Ok(self.norms[1].outline(outline, NORMS[1], x))
        })
    }
}
