//! The residual block of ResNet-18 and -34.

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

use crate::layers::{Activation, Conv2d, Conv2dOptions, Norm, NormOptions};
use crate::model::Mode;
use crate::summary::Outline;

/// `relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))`, the convolutions 3×3.
///
/// The shortcut is `x` itself, or, where the shape changes, a 1×1 convolution and a normalisation, named
/// `shortcut.0` and `shortcut.1`.
#[derive(Debug, Clone)]
pub struct BasicBlock {
    conv1: Conv2d,
    bn1: Norm,
    conv2: Conv2d,
    bn2: Norm,
    shortcut: Option<(Conv2d, Norm)>,
}

impl BasicBlock {
    /// Takes its parameters from `vb`.
    ///
    /// # Errors
    /// Parameters that `vb` cannot give.
    pub fn new(c_in: usize, c_out: usize, stride: usize, norm: NormOptions, vb: VarBuilder) -> Result<Self> {
        let conv3 = |c_in, stride, name| {
            Conv2d::new(c_in, c_out, 3, Conv2dOptions { stride, padding: 1 }, vb.pp(name))
        };
        let bn = |name| Norm::new(c_out, norm, vb.pp(name));
        let (conv1, bn1) = (conv3(c_in, stride, "conv1")?, bn("bn1")?);
        let (conv2, bn2) = (conv3(c_out, 1, "conv2")?, bn("bn2")?);
        let shortcut = if stride != 1 || c_in != c_out {
            let options = Conv2dOptions { stride, padding: 0 };
            Some((Conv2d::new(c_in, c_out, 1, options, vb.pp("shortcut.0"))?, bn("shortcut.1")?))
        } else {
            None
        };
        Ok(Self { conv1, bn1, conv2, bn2, shortcut })
    }

    /// `(N, H, W, C_in)` to `(N, H/stride, W/stride, C_out)`, sides rounded up.
    ///
    /// # Errors
    /// Another number of channels.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let y = self.bn1.forward(&self.conv1.forward(x)?, mode, Activation::Relu)?;
        let y = self.bn2.forward(&self.conv2.forward(&y)?, mode, Activation::None)?;
        match &self.shortcut {
            None => wick_ops::add_relu(&y, x),
            Some((conv, bn)) => {
                wick_ops::add_relu(&y, &bn.forward(&conv.forward(x)?, mode, Activation::None)?)
            }
        }
    }

    pub(crate) fn outline(&self, outline: &mut Outline, name: &str, input: [usize; 4]) -> Result<[usize; 4]> {
        outline.group(name, "BasicBlock", |outline| {
            let x = self.conv1.outline(outline, "conv1", input)?;
            let x = self.bn1.outline(outline, "bn1", x);
            let x = self.conv2.outline(outline, "conv2", x)?;
            let x = self.bn2.outline(outline, "bn2", x);
            if let Some((conv, bn)) = &self.shortcut {
                outline.group("shortcut", "Sequential", |outline| {
                    let y = conv.outline(outline, "0", input)?;
                    Ok(bn.outline(outline, "1", y))
                })?;
            }
            Ok(x)
        })
    }
}
