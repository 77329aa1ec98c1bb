//! A ResNet of nine layers after the fast CIFAR-10 entries of DAWNBench (Page 2018, *How to Train Your ResNet*,
//! <https://github.com/davidcpage/cifar10-fast>); here pooling comes before the normalisation, and the last layer has a bias.

mod block;
mod graph;
mod head;

use candle_core::{ModuleT, Result, Tensor};
use candle_nn::VarBuilder;

use crate::layers::{NormOptions, max_pool_to_one};
use crate::model::{CifarModel, Mode, unknown_layer};
use crate::summary::Outline;
use block::{ConvBlock, Pool, ResidualLayer};
pub(crate) use graph::graph;
use head::Head;

const LAYERS: [&str; 4] = ["prep", "layer1", "layer2", "layer3"];
const WIDTHS: [usize; 4] = [64, 128, 256, 512];
/// The map that the last pooling takes: what three halvings leave of 32×32.
const LAST_MAP: usize = 4;

/// The dimensions of a [`CustomResNet`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CustomResNetConfig {
    /// Outputs.
    pub classes: usize,
    /// Every normalisation.
    pub norm: NormOptions,
    /// Which shortcut and head.
    pub variant: CustomResNetVariant,
}

/// What a [`CustomResNet`] does with its shortcuts and with the features at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CustomResNetVariant {
    /// `x + R(x)`; a linear layer.
    #[default]
    Plain,
    /// As [`Plain`](Self::Plain), the logits divided by 8, as Page's network does it: they begin small, and learn more slowly.
    Scaled,
    /// What a published run had: `2x + R(x)`; linear layers of 1024 and of the classes, between them ReLU and dropout of 0.1; behind
    /// them a softmax, although cross-entropy takes logits.
    Published,
}

impl Default for CustomResNetConfig {
    fn default() -> Self {
        Self { classes: 10, norm: NormOptions::default(), variant: CustomResNetVariant::default() }
    }
}

/// Blocks of a 3×3 convolution, normalisation and ReLU with 64, 128, 256 and 512 channels, the last three with a 2×2
/// max-pooling behind their convolution; after the second and the fourth, two more of them with a shortcut around; the
/// maximum of the 4×4 map that is left of a 32×32 image; a linear layer. [`CustomResNetVariant`] has more of the last part.
///
/// Its names are `prep.0`, `prep.1`, `layer1.down.0`, `layer1.down.2`, `layer1.res.0.0` to `layer1.res.1.1`, `layer2.0`,
/// `layer2.2`, `layer3` as `layer1`, `fc`, or `fc1` and `fc2`.
#[derive(Debug, Clone)]
pub struct CustomResNet {
    prep: ConvBlock,
    layer1: ResidualLayer,
    layer2: ConvBlock,
    layer3: ResidualLayer,
    head: Head,
}

impl CustomResNet {
    /// Takes every parameter from `vb`.
    ///
    /// # Errors
    /// No classes; parameters that `vb` cannot give.
    pub fn new(config: CustomResNetConfig, vb: VarBuilder) -> Result<Self> {
        let CustomResNetConfig { classes, norm, variant } = config;
        if classes == 0 {
            candle_core::bail!("a custom ResNet needs classes, got {config:?}");
        }
        let [a, b, c, d] = WIDTHS;
        Ok(Self {
            prep: ConvBlock::new(3, a, Pool::None, norm, vb.pp("prep"))?,
            layer1: ResidualLayer::new([a, b], norm, variant, vb.pp("layer1"))?,
            layer2: ConvBlock::new(b, c, Pool::Half, norm, vb.pp("layer2"))?,
            layer3: ResidualLayer::new([c, d], norm, variant, vb.pp("layer3"))?,
            head: Head::new(d, classes, variant, vb)?,
        })
    }
}

impl CifarModel for CustomResNet {
    fn layers(&self) -> &'static [&'static str] {
        &LAYERS
    }

    fn forward_layer(&self, x: &Tensor, index: usize, mode: Mode) -> Result<Tensor> {
        match index {
            0 => self.prep.forward(x, mode),
            1 => self.layer1.forward(x, mode),
            2 => self.layer2.forward(x, mode),
            3 => self.layer3.forward(x, mode),
            _ => Err(unknown_layer(&LAYERS, index)),
        }
    }

    fn forward_head(&self, features: &Tensor) -> Result<Tensor> {
        self.head.forward(&max_pool_to_one(features, LAST_MAP)?)
    }

    fn outline(&self, outline: &mut Outline, input: [usize; 4]) -> Result<()> {
        outline.group("", "CustomResNet", |outline| {
            let x = self.prep.outline(outline, "prep", input)?;
            let x = self.layer1.outline(outline, "layer1", x)?;
            let x = self.layer2.outline(outline, "layer2", x)?;
            let x = self.layer3.outline(outline, "layer3", x)?;
            self.head.outline(outline, x[0])
        })?;
        Ok(())
    }
}

impl ModuleT for CustomResNet {
    /// `(N, H, W, 3)` to logits `(N, classes)`, H and W 32 to 63.
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        self.forward_head(&self.forward_features(x, Mode::from_train_flag(train))?)
    }
}
