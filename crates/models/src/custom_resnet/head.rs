//! From the features of the custom ResNet to its logits.

use candle_core::{D, Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::CustomResNetVariant;
use crate::layers::Linear;
use crate::summary::Outline;

/// What logits are divided by in the scaled variant.
pub(super) const LOGIT_DIVISOR: f64 = 8.0;
/// Features between the published variant's two layers, and the share of them that training drops.
pub(super) const HIDDEN: usize = 1024;
pub(super) const DROPOUT: f32 = 0.1;

/// The last layers of a [`CustomResNet`](super::CustomResNet).
#[derive(Debug, Clone)]
pub(super) enum Head {
    Linear { fc: Linear, divisor: f64 },
    Published { fc1: Linear, fc2: Linear },
}

impl Head {
    pub(super) fn new(
        features: usize,
        classes: usize,
        variant: CustomResNetVariant,
        vb: VarBuilder,
    ) -> Result<Self> {
        let linear = |divisor| Ok(Self::Linear { fc: Linear::new(features, classes, vb.pp("fc"))?, divisor });
        match variant {
            CustomResNetVariant::Plain => linear(1.0),
            CustomResNetVariant::Scaled => linear(LOGIT_DIVISOR),
            CustomResNetVariant::Published => Ok(Self::Published {
                fc1: Linear::new(features, HIDDEN, vb.pp("fc1"))?,
                fc2: Linear::new(HIDDEN, classes, vb.pp("fc2"))?,
            }),
        }
    }

    /// `(N, features)` to `(N, classes)`. It drops nothing: dropout is in [`Compiled`](crate::Compiled)'s training steps alone.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Linear { fc, divisor } if *divisor == 1.0 => fc.forward(x),
            Self::Linear { fc, divisor } => fc.forward(x)? / *divisor,
            Self::Published { fc1, fc2 } => {
                let hidden = wick_ops::relu(&fc1.forward(x)?)?;
                candle_nn::ops::softmax(&fc2.forward(&hidden)?, D::Minus1)
            }
        }
    }

    pub(super) fn outline(&self, outline: &mut Outline, batch: usize) -> Result<[usize; 2]> {
        match self {
            Self::Linear { fc, .. } => fc.outline(outline, "fc", batch),
            Self::Published { fc1, fc2 } => {
                fc1.outline(outline, "fc1", batch)?;
                fc2.outline(outline, "fc2", batch)
            }
        }
    }
}
