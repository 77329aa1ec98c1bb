//! The pieces of the custom ResNet.

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::CustomResNetVariant;
use crate::layers::{Activation, Conv2d, Conv2dOptions, Norm, NormOptions, max_pool, max_pooled};
use crate::model::Mode;
use crate::summary::Outline;

/// Side of the squares that are pooled.
pub(super) const POOL: usize = 2;

/// Whether a [`ConvBlock`] halves its map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pool {
    None,
    Half,
}

impl Pool {
    /// The number of the normalisation behind it.
    pub(super) fn norm_name(self) -> &'static str {
        match self {
            Pool::None => "1",
            Pool::Half => "2",
        }
    }
}

/// `relu(bn(conv(x)))`, the convolution 3×3; or `relu(bn(pool(conv(x))))`.
///
/// Its parts are numbered as in a `Sequential` of these: the convolution is `0`, the normalisation behind it `1`, or `2` if
/// the pooling is between them.
#[derive(Debug, Clone)]
pub(super) struct ConvBlock {
    conv: Conv2d,
    pool: Pool,
    bn: Norm,
}

impl ConvBlock {
    pub(super) fn new(
        c_in: usize,
        c_out: usize,
        pool: Pool,
        norm: NormOptions,
        vb: VarBuilder,
    ) -> Result<Self> {
        let conv = Conv2d::new(c_in, c_out, 3, Conv2dOptions { stride: 1, padding: 1 }, vb.pp("0"))?;
        let bn = Norm::new(c_out, norm, vb.pp(pool.norm_name()))?;
        Ok(Self { conv, pool, bn })
    }

    pub(super) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let x = self.conv.forward(x)?;
        let x = match self.pool {
            Pool::None => x,
            Pool::Half => max_pool(&x, POOL)?,
        };
        self.bn.forward(&x, mode, Activation::Relu)
    }

    pub(super) fn outline(&self, outline: &mut Outline, name: &str, input: [usize; 4]) -> Result<[usize; 4]> {
        outline.group(name, "ConvBlock", |outline| {
            let x = self.conv.outline(outline, "0", input)?;
            let x = match self.pool {
                Pool::None => x,
                Pool::Half => max_pooled(x, POOL),
            };
            Ok(self.bn.outline(outline, self.pool.norm_name(), x))
        })
    }
}

/// `x + res.1(res.0(x))` of `x = down(input)`: a block that halves the map, and two more with a shortcut around them. The published
/// variant takes the shortcut twice.
#[derive(Debug, Clone)]
pub(super) struct ResidualLayer {
    down: ConvBlock,
    res: [ConvBlock; 2],
    variant: CustomResNetVariant,
}

impl ResidualLayer {
    pub(super) fn new(
        [c_in, c_out]: [usize; 2],
        norm: NormOptions,
        variant: CustomResNetVariant,
        vb: VarBuilder,
    ) -> Result<Self> {
        let down = ConvBlock::new(c_in, c_out, Pool::Half, norm, vb.pp("down"))?;
        let same = |name| ConvBlock::new(c_out, c_out, Pool::None, norm, vb.pp(name));
        Ok(Self { down, res: [same("res.0")?, same("res.1")?], variant })
    }

    pub(super) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let x = self.down.forward(x, mode)?;
        let y = self.res.iter().try_fold(x.clone(), |y, block| block.forward(&y, mode))?;
        match self.variant {
            CustomResNetVariant::Plain | CustomResNetVariant::Scaled => x + y,
            CustomResNetVariant::Published => &x + (&x + y)?,
        }
    }

    pub(super) fn outline(&self, outline: &mut Outline, name: &str, input: [usize; 4]) -> Result<[usize; 4]> {
        outline.group(name, "ResidualLayer", |outline| {
            let x = self.down.outline(outline, "down", input)?;
            outline.group("res", "Sequential", |outline| {
                let y = self.res[0].outline(outline, "0", x)?;
                self.res[1].outline(outline, "1", y)
            })
        })
    }
}
