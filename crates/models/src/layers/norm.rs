//! The normalisation that a network is given.

use candle_core::Tensor;
use candle_nn::VarBuilder;
use wick_graph::{BatchNorm, GhostBatchNorm, Graph, GraphError, GroupNorm as GroupNormLayer, Value};
use wick_ops::Activation;

use super::{
    BatchNorm2d, BatchNormOptions, GhostBatchNorm2d, GhostBatchNormOptions, GroupNorm, GroupNormOptions,
    Scale,
};
use crate::model::Mode;
use crate::summary::Outline;

/// Which normalisation, and its constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NormOptions {
    /// [`BatchNorm2d`].
    Batch(BatchNormOptions),
    /// [`GhostBatchNorm2d`].
    Ghost(GhostBatchNormOptions),
    /// [`GroupNorm`]; with one group, a layer normalisation.
    Group(GroupNormOptions),
}

impl NormOptions {
    /// Adds such a normalisation of `x` to a graph.
    pub(crate) fn add_to(self, g: &mut Graph, x: Value, name: &str) -> Result<Value, GraphError> {
        match self {
            Self::Batch(batch_norm) => {
                Self::Ghost(GhostBatchNormOptions { splits: 1, batch_norm }).add_to(g, x, name)
            }
            Self::Ghost(GhostBatchNormOptions { splits, batch_norm }) => {
                let BatchNormOptions { eps, update, scale } = batch_norm;
                let options = GhostBatchNorm { splits, batch_norm: BatchNorm { eps, update } };
                let y = g.ghost_batch_norm(x, name, options)?;
                match scale {
                    Scale::Frozen => g.freeze(&format!("{name}.weight"))?,
                    Scale::Learned => {}
                }
                Ok(y)
            }
            Self::Group(GroupNormOptions { groups, eps }) => {
                g.group_norm(x, name, GroupNormLayer { groups, eps })
            }
        }
    }
}

impl Default for NormOptions {
    fn default() -> Self {
        Self::Batch(BatchNormOptions::default())
    }
}

/// A normalisation of any kind.
#[derive(Debug, Clone)]
pub enum Norm {
    /// Over the batch.
    Batch(BatchNorm2d),
    /// Over each of several parts of the batch.
    Ghost(GhostBatchNorm2d),
    /// Over groups of channels of one image.
    Group(GroupNorm),
}

impl Norm {
    /// Takes the parameters, and buffers if it has them, of `channels` channels from `vb`.
    ///
    /// # Errors
    /// As [`BatchNorm2d::new`], [`GhostBatchNorm2d::new`] and [`GroupNorm::new`].
    pub fn new(channels: usize, options: NormOptions, vb: VarBuilder) -> candle_core::Result<Self> {
        Ok(match options {
            NormOptions::Batch(options) => Self::Batch(BatchNorm2d::new(channels, options, vb)?),
            NormOptions::Ghost(options) => Self::Ghost(GhostBatchNorm2d::new(channels, options, vb)?),
            NormOptions::Group(options) => Self::Group(GroupNorm::new(channels, options, vb)?),
        })
    }

    /// Normalises `x` `(N, H, W, C)`, then applies `activation`; `mode` does not count for group normalisation.
    ///
    /// # Errors
    /// Another number of channels.
    pub fn forward(&self, x: &Tensor, mode: Mode, activation: Activation) -> candle_core::Result<Tensor> {
        match self {
            Self::Batch(norm) => norm.forward(x, mode, activation),
            Self::Ghost(norm) => norm.forward(x, mode, activation),
            Self::Group(norm) => norm.forward(x, activation),
        }
    }

    pub(crate) fn outline(&self, outline: &mut Outline, name: &str, input: [usize; 4]) -> [usize; 4] {
        match self {
            Self::Batch(norm) => norm.outline(outline, name, input),
            Self::Ghost(norm) => norm.outline(outline, name, input),
            Self::Group(norm) => norm.outline(outline, name, input),
        }
    }
}
