//! ResNet for 32×32 images (He et al. 2016, <https://arxiv.org/abs/1512.03385>), as kuangliu/pytorch-cifar lays it out.

mod block;
mod graph;

use candle_core::{Module, ModuleT, Result, Tensor};
use candle_nn::VarBuilder;

use crate::layers::{
    Activation, Conv2d, Conv2dOptions, GhostBatchNormOptions, GroupNormOptions, Linear, Norm, NormOptions,
};
use crate::model::{CifarModel, Mode, unknown_layer};
use crate::summary::Outline;

pub use block::BasicBlock;
pub(crate) use graph::graph;

const LAYERS: [&str; 4] = ["layer1", "layer2", "layer3", "layer4"];

/// The dimensions of a [`ResNet`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResNetConfig {
    /// Basic blocks in each of the four layers.
    pub blocks: [usize; 4],
    /// Channels of the first layer; each of the others has twice as many as the one before. 64 in He et al.
    pub width: usize,
    /// Outputs.
    pub classes: usize,
    /// By how much the fourth layer reduces its map's sides: 2 leaves 4×4 of a 32×32 image, 1 leaves 8×8.
    pub layer4_stride: usize,
    /// Every normalisation.
    pub norm: NormOptions,
}

impl ResNetConfig {
    /// ResNet-18 for ten classes.
    pub fn resnet18() -> Self {
        Self { blocks: [2; 4], width: 64, classes: 10, layer4_stride: 2, norm: NormOptions::default() }
    }

    /// ResNet-34 for ten classes.
    pub fn resnet34() -> Self {
        Self { blocks: [3, 4, 6, 3], ..Self::resnet18() }
    }

    /// ResNet-18 for ten classes with layer normalisation, its last map 8×8 of a 32×32 image.
    pub fn resnet18_ln() -> Self {
        let norm = NormOptions::Group(GroupNormOptions::default());
        Self { layer4_stride: 1, norm, ..Self::resnet18() }
    }

    /// ResNet-18 for ten classes with ghost batch normalisation.
    pub fn resnet18_ghost(splits: usize) -> Self {
        let norm = NormOptions::Ghost(GhostBatchNormOptions { splits, ..GhostBatchNormOptions::default() });
        Self { norm, ..Self::resnet18() }
    }

    /// Channels of each layer.
    fn widths(&self) -> [usize; 4] {
        [1, 2, 4, 8].map(|times| times * self.width)
    }
}

impl Default for ResNetConfig {
    fn default() -> Self {
        Self::resnet18()
    }
}

/// A 3×3 convolution to 64 channels, normalised; four layers of [`BasicBlock`]s with 64, 128, 256 and 512 channels
/// (or [another width](ResNetConfig::width)), the last three halving the map's sides; the mean over the map; a linear layer.
///
/// Against the ImageNet network its first convolution is 3×3 with stride 1, and no pooling follows it. Its names
/// are `conv1`, `bn1`, `layer1.0.conv1` to `layer4.1.bn2`, `layer2.0.shortcut.0`, `linear`.
#[derive(Debug, Clone)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: Norm,
    layers: [Vec<BasicBlock>; 4],
    linear: Linear,
}

impl ResNet {
    /// Takes every parameter from `vb`.
    ///
    /// # Errors
    /// No classes, channels or blocks in a layer, a stride of 0; parameters that `vb` cannot give.
    pub fn new(config: ResNetConfig, vb: VarBuilder) -> Result<Self> {
        let ResNetConfig { blocks, width, classes, layer4_stride, .. } = config;
        if [classes, width, layer4_stride].contains(&0) || blocks.contains(&0) {
            candle_core::bail!(
                "a ResNet needs classes, channels, blocks in each layer and a stride of at least 1, got {config:?}"
            );
        }
        let widths = config.widths();
        let conv1 = Conv2d::new(3, width, 3, Conv2dOptions { stride: 1, padding: 1 }, vb.pp("conv1"))?;
        let bn1 = Norm::new(width, config.norm, vb.pp("bn1"))?;
        let strides = [1, 2, 2, config.layer4_stride];
        let mut layers: [Vec<BasicBlock>; 4] = Default::default();
        let mut c_in = width;
        for (i, blocks) in layers.iter_mut().enumerate() {
            for k in 0..config.blocks[i] {
                let stride = if k == 0 { strides[i] } else { 1 };
                let vb = vb.pp(LAYERS[i]).pp(k);
                blocks.push(BasicBlock::new(c_in, widths[i], stride, config.norm, vb)?);
                c_in = widths[i];
            }
        }
        let linear = Linear::new(c_in, config.classes, vb.pp("linear"))?;
        Ok(Self { conv1, bn1, layers, linear })
    }
}

impl CifarModel for ResNet {
    fn layers(&self) -> &'static [&'static str] {
        &LAYERS
    }

    fn forward_layer(&self, x: &Tensor, index: usize, mode: Mode) -> Result<Tensor> {
        let blocks = self.layers.get(index).ok_or_else(|| unknown_layer(&LAYERS, index))?;
        let x = match index {
            0 => self.bn1.forward(&self.conv1.forward(x)?, mode, Activation::Relu)?,
            _ => x.clone(),
        };
        blocks.iter().try_fold(x, |x, block| block.forward(&x, mode))
    }

    fn forward_head(&self, features: &Tensor) -> Result<Tensor> {
        self.linear.forward(&wick_ops::global_avg_pool2d(features)?)
    }

    fn outline(&self, outline: &mut Outline, input: [usize; 4]) -> Result<()> {
        outline.group("", "ResNet", |outline| {
            let mut x = self.conv1.outline(outline, "conv1", input)?;
            x = self.bn1.outline(outline, "bn1", x);
            for (name, blocks) in LAYERS.iter().zip(&self.layers) {
                x = outline.group(name, "Sequential", |outline| {
                    blocks.iter().enumerate().try_fold(x, |x, (k, b)| b.outline(outline, &k.to_string(), x))
                })?;
            }
            self.linear.outline(outline, "linear", x[0])
        })?;
        Ok(())
    }
}

impl ModuleT for ResNet {
    /// `(N, H, W, 3)` to logits `(N, classes)`.
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        self.forward_head(&self.forward_features(x, Mode::from_train_flag(train))?)
    }
}
