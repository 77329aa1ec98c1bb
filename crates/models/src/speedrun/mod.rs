//! A network that is fast to train to 94 % (Jordan 2024, *94% on CIFAR-10 in 3.29 Seconds on a Single GPU*,
//! <https://arxiv.org/abs/2404.00498>, <https://github.com/KellerJordan/cifar10-airbench>).

mod eigen;
mod graph;
mod group;
mod start;
mod whitening;

use candle_core::{Module, ModuleT, Result, Tensor};
use candle_nn::VarBuilder;

use crate::layers::{BatchNormOptions, Linear, Scale, max_pool_to_one};
use crate::model::{CifarModel, Mode, unknown_layer};
use crate::summary::Outline;
use group::{Group, NORMS};
use whitening::{FILTERS, Whitening};

pub(crate) use graph::graph;
pub use start::start_speedrun;
pub use whitening::whitening_filters;

const LAYERS: [&str; 4] = ["whiten", "group1", "group2", "group3"];
const GROUPS: [&str; 3] = ["group1", "group2", "group3"];
/// The map that the last pooling takes: what three halvings leave of 31×31.
const LAST_MAP: usize = 3;
/// What logits are divided by, so that a softmax of them is as soft as the learning rates want it.
const LOGIT_DIVISOR: f64 = 9.0;

/// The dimensions of a [`SpeedrunNet`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeedrunConfig {
    /// Outputs.
    pub classes: usize,
    /// Channels of the three groups: 64, 256, 256.
    pub widths: [usize; 3],
    /// Constants of every normalisation: eps 1e-12, an update of 0.4 (its short training leaves little time for an
    /// average), the scale frozen.
    pub batch_norm: BatchNormOptions,
}

impl Default for SpeedrunConfig {
    fn default() -> Self {
        let batch_norm = BatchNormOptions { eps: 1e-12, update: 0.4, scale: Scale::Frozen };
        Self { classes: 10, widths: [64, 256, 256], batch_norm }
    }
}

/// A 2×2 convolution to 24 channels whose filters are frozen ([`whitening_filters`] makes them); three groups of two 3×3
/// convolutions, each normalised, the first of them pooled to half the map; the maximum of the 3×3 map that is left of
/// a 32×32 image; a linear layer without bias, its answer over 9. GELU throughout.
///
/// It starts as PyTorch's layers do; [`start_speedrun`] gives it what it is to be trained from.
///
/// Frozen, and so without gradients, are `whiten.weight` and every normalisation's `weight`. Its names are `whiten`,
/// `group1.0`, `group1.2`, `group1.4` and `group1.5` to `group3.5`, `head`. Cut after `whiten`, that is before the GELU.
#[derive(Debug, Clone)]
pub struct SpeedrunNet {
    whiten: Whitening,
    groups: Vec<Group>,
    head: Linear,
}

impl SpeedrunNet {
    /// Takes every parameter from `vb`.
    ///
    /// # Errors
    /// No classes, a group without channels; parameters that `vb` cannot give.
    pub fn new(config: SpeedrunConfig, vb: VarBuilder) -> Result<Self> {
        let SpeedrunConfig { classes, widths, batch_norm } = config;
        if classes == 0 || widths.contains(&0) {
            candle_core::bail!("a speedrun network needs classes and channels, got {config:?}");
        }
        let whiten = Whitening::new(vb.pp(LAYERS[0]))?;
        let inputs = [FILTERS, widths[0], widths[1]];
        let groups = GROUPS.iter().zip(inputs.into_iter().zip(widths));
        let groups = groups.map(|(name, (c_in, c_out))| Group::new(c_in, c_out, batch_norm, vb.pp(name)));
        let groups = groups.collect::<Result<_>>()?;
        Ok(Self { whiten, groups, head: Linear::without_bias(widths[2], classes, vb.pp("head"))? })
    }
}

/// Whether training leaves the parameter `name` as it is.
pub(crate) fn is_frozen(name: &str) -> bool {
    let mut parts = name.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("whiten"), Some("weight"), None, None) => true,
        (Some(group), Some(part), Some("weight"), None) => GROUPS.contains(&group) && NORMS.contains(&part),
        _ => false,
    }
}

impl CifarModel for SpeedrunNet {
    fn layers(&self) -> &'static [&'static str] {
        &LAYERS
    }

    fn forward_layer(&self, x: &Tensor, index: usize, mode: Mode) -> Result<Tensor> {
        match index {
            0 => self.whiten.forward(x),
            1 => self.groups[0].forward(&wick_ops::gelu(x)?, mode),
            2 | 3 => self.groups[index - 1].forward(x, mode),
            _ => Err(unknown_layer(&LAYERS, index)),
        }
    }

    fn forward_head(&self, features: &Tensor) -> Result<Tensor> {
        self.head.forward(&max_pool_to_one(features, LAST_MAP)?)? / LOGIT_DIVISOR
    }

    fn outline(&self, outline: &mut Outline, input: [usize; 4]) -> Result<()> {
        outline.group("", "SpeedrunNet", |outline| {
            let x = self.whiten.outline(outline, LAYERS[0], input);
            let mut groups = GROUPS.iter().zip(&self.groups);
            let x = groups.try_fold(x, |x, (name, group)| group.outline(outline, name, x))?;
            self.head.outline(outline, "head", x[0])
        })?;
        Ok(())
    }
}

impl ModuleT for SpeedrunNet {
    /// `(N, H, W, 3)` to logits `(N, classes)`, H and W 25 to 48.
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        self.forward_head(&self.forward_features(x, Mode::from_train_flag(train))?)
    }
}
