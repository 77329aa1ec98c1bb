//! The networks by name.

use std::fmt;
use std::str::FromStr;

use candle_core::Result;
use candle_nn::VarBuilder;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wick_graph::Graph;

use crate::custom_resnet::{self, CustomResNet, CustomResNetConfig, CustomResNetVariant};
use crate::error::ModelError;
use crate::model::Model;
use crate::parameters::{ParameterSpec, Role, recorded};
use crate::resnet::{self, ResNet, ResNetConfig};
use crate::speedrun::{self, SpeedrunConfig, SpeedrunNet};
use crate::summary::Summary;

/// Which network. In files and on the command line it goes by its [`name`](Architecture::name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// [`ResNet`] of 2, 2, 2, 2 basic blocks: 11.2 million parameters.
    ResNet18,
    /// [`ResNet`] of 3, 4, 6, 3 basic blocks: 21.3 million parameters.
    ResNet34,
    /// [`ResNet`] as [`ResNet18`](Self::ResNet18), with layer normalisation and a last map of 8×8.
    ResNet18Ln,
    /// [`ResNet`] as [`ResNet18`](Self::ResNet18), with ghost batch normalisation. Its name ends with the number of splits:
    /// `resnet18_ghost2`.
    ResNet18Ghost {
        /// Parts of a batch that are normalised each by itself, at least 1.
        splits: usize,
    },
    /// [`ResNet`] as [`ResNet18`](Self::ResNet18), with other numbers of channels. Its name ends with that of the first layer:
    /// `resnet18_w32` has 32, 64, 128 and 256 and 2.8 million parameters.
    ResNet18Width {
        /// Channels of the first layer, at least 1.
        width: usize,
    },
    /// [`CustomResNet`]: 6.6 million parameters.
    CustomResNet,
    /// [`CustomResNet`] whose logits are divided by 8. Its tensors are the same: a file that does not name its network is taken for
    /// [`CustomResNet`](Self::CustomResNet).
    CustomResNetScaled,
    /// [`CustomResNet`] as a published run had it, with a softmax before the loss: 7.1 million parameters.
    CustomResNetPublished,
    /// [`SpeedrunNet`]: 2.0 million parameters.
    Speedrun,
}

impl Architecture {
    /// Every architecture; of the ghost batch norms, that of two splits; of the widths, half the usual one.
    pub const ALL: [Architecture; 9] = [
        Self::ResNet18,
        Self::ResNet34,
        Self::ResNet18Ln,
        Self::ResNet18Ghost { splits: 2 },
        Self::ResNet18Width { width: 32 },
        Self::CustomResNet,
        Self::CustomResNetScaled,
        Self::CustomResNetPublished,
        Self::Speedrun,
    ];

    /// Its name: `resnet18`.
    pub fn name(self) -> String {
        let name = match self {
            Architecture::ResNet18 => "resnet18",
            Architecture::ResNet34 => "resnet34",
            Architecture::ResNet18Ln => "resnet18_ln",
            Architecture::ResNet18Ghost { splits } => return format!("{GHOST}{splits}"),
            Architecture::ResNet18Width { width } => return format!("{WIDTH}{width}"),
            Architecture::CustomResNet => "custom_resnet",
            Architecture::CustomResNetScaled => "custom_resnet_scaled",
            Architecture::CustomResNetPublished => "custom_resnet_published",
            Architecture::Speedrun => "speedrun",
        };
        name.to_owned()
    }

    /// Into how many parts its norms split a batch; `None` where they do not. A batch should be a multiple of it.
    pub fn splits(self) -> Option<usize> {
        match self {
            Architecture::ResNet18Ghost { splits } => Some(splits),
            _ => None,
        }
    }

    /// The weight `(classes, in)` of its last layer.
    pub(crate) fn last_weight(self) -> &'static str {
        match self {
            Architecture::ResNet18
            | Architecture::ResNet34
            | Architecture::ResNet18Ln
            | Architecture::ResNet18Ghost { .. }
            | Architecture::ResNet18Width { .. } => "linear.weight",
            Architecture::CustomResNet | Architecture::CustomResNetScaled => "fc.weight",
            Architecture::CustomResNetPublished => "fc2.weight",
            Architecture::Speedrun => "head.weight",
        }
    }

    /// What its variable `name` is for.
    pub fn role(self, name: &str) -> Role {
        match self {
            Architecture::Speedrun if speedrun::is_frozen(name) => Role::Frozen,
            _ => Role::of(name),
        }
    }

    /// The names, shapes and roles of its parameters and buffers, in the network's order.
    ///
    /// # Errors
    /// Zero classes.
    pub fn parameters(self, classes: usize) -> Result<Vec<ParameterSpec>> {
        let mut list = recorded(|vb| build(self, classes, vb).map(drop))?;
        list.iter_mut().for_each(|spec| spec.role = self.role(&spec.name));
        Ok(list)
    }

    /// Its layers as a graph that can be compiled, of 32×32 images, and cut behind each of [`CifarModel::layers`](crate::CifarModel::layers).
    ///
    /// # Errors
    /// Zero classes.
    pub fn graph(self, classes: usize) -> std::result::Result<Graph, ModelError> {
        Ok(match self.config(classes) {
            Config::ResNet(config) => resnet::graph(&config)?,
            Config::CustomResNet(config) => custom_resnet::graph(&config)?,
            Config::Speedrun(config) => speedrun::graph(&config)?,
        })
    }

    /// The dimensions of its network.
    fn config(self, classes: usize) -> Config {
        let resnet = |config| Config::ResNet(ResNetConfig { classes, ..config });
        let custom = |variant| {
            Config::CustomResNet(CustomResNetConfig { classes, variant, ..CustomResNetConfig::default() })
        };
        match self {
            Architecture::ResNet18 => resnet(ResNetConfig::resnet18()),
            Architecture::ResNet34 => resnet(ResNetConfig::resnet34()),
            Architecture::ResNet18Ln => resnet(ResNetConfig::resnet18_ln()),
            Architecture::ResNet18Ghost { splits } => resnet(ResNetConfig::resnet18_ghost(splits)),
            Architecture::ResNet18Width { width } => {
                resnet(ResNetConfig { width, ..ResNetConfig::resnet18() })
            }
            Architecture::CustomResNet => custom(CustomResNetVariant::Plain),
            Architecture::CustomResNetScaled => custom(CustomResNetVariant::Scaled),
            Architecture::CustomResNetPublished => custom(CustomResNetVariant::Published),
            Architecture::Speedrun => {
                Config::Speedrun(SpeedrunConfig { classes, ..SpeedrunConfig::default() })
            }
        }
    }

    /// Its layers, their shapes and costs, for a batch of `batch` images of 32×32 pixels.
    ///
    /// # Errors
    /// Zero classes.
    pub fn summary(self, classes: usize, batch: usize) -> Result<Summary> {
        let mut summary = None;
        recorded(|vb| {
            summary = Some(Summary::of(build(self, classes, vb)?.as_ref(), [batch, 32, 32, 3])?);
            Ok(())
        })?;
        summary.ok_or_else(|| candle_core::Error::msg("the network was not built"))
    }
}

/// Builds a network from its name, its parameters taken from `vb` (f32, filters `(KH, KW, C_in, C_out)`).
///
/// [`Parameters`](crate::Parameters) makes a `vb` whose values depend on a seed alone; it learns which parameters are
/// frozen from [`Parameters::set_roles`](crate::Parameters::set_roles), as [`Network`](crate::Network) does it.
///
/// # Errors
/// Zero classes; parameters that `vb` cannot give.
pub fn build(architecture: Architecture, classes: usize, vb: VarBuilder) -> Result<Model> {
    Ok(match architecture.config(classes) {
        Config::ResNet(config) => Box::new(ResNet::new(config, vb)?),
        Config::CustomResNet(config) => Box::new(CustomResNet::new(config, vb)?),
        Config::Speedrun(config) => Box::new(SpeedrunNet::new(config, vb)?),
    })
}

/// The dimensions of a network of any make.
enum Config {
    ResNet(ResNetConfig),
    CustomResNet(CustomResNetConfig),
    Speedrun(SpeedrunConfig),
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl FromStr for Architecture {
    type Err = ModelError;

    fn from_str(name: &str) -> std::result::Result<Self, ModelError> {
        let number = |prefix| name.strip_prefix(prefix)?.parse::<usize>().ok().filter(|n| *n > 0);
        let ghost = number(GHOST).map(|splits| Self::ResNet18Ghost { splits });
        let width = number(WIDTH).map(|width| Self::ResNet18Width { width });
        // Only as it is written: no leading zeros, no sign.
        let found = Self::ALL.into_iter().chain(ghost).chain(width).find(|a| a.name() == name);
        found.ok_or_else(|| ModelError::UnknownArchitecture {
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// What the name begins with, before the number of splits.
const GHOST: &str = "resnet18_ghost";

/// The same, before the number of channels.
const WIDTH: &str = "resnet18_w";

impl Serialize for Architecture {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Architecture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        /// As [`Architecture::ALL`], for the error.
        const NAMES: [&str; 9] = [
            "resnet18",
            "resnet34",
            "resnet18_ln",
            "resnet18_ghost2",
            "resnet18_w32",
            "custom_resnet",
            "custom_resnet_scaled",
            "custom_resnet_published",
            "speedrun",
        ];
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|_| serde::de::Error::unknown_variant(&name, &NAMES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_in_and_out_alike() {
        for a in Architecture::ALL {
            assert_eq!(a.name().parse::<Architecture>().unwrap(), a);
            assert_eq!(serde_json::to_string(&a).unwrap(), format!("\"{a}\""));
            assert_eq!(serde_json::from_str::<Architecture>(&format!("\"{a}\"")).unwrap(), a);
        }
        let ghost = Architecture::ResNet18Ghost { splits: 16 };
        assert_eq!(ghost.name(), "resnet18_ghost16");
        assert_eq!("resnet18_ghost16".parse::<Architecture>().unwrap(), ghost);
        let wide = Architecture::ResNet18Width { width: 96 };
        assert_eq!(wide.name(), "resnet18_w96");
        assert_eq!("resnet18_w96".parse::<Architecture>().unwrap(), wide);
        for stem in ["resnet18_ghost", "resnet18_w"] {
            for number in ["", "0", "02", "+2", "-2", "2x"] {
                assert!(format!("{stem}{number}").parse::<Architecture>().is_err(), "{stem}{number}");
            }
        }
        let error = serde_json::from_str::<Architecture>("\"vgg\"").unwrap_err().to_string();
        assert!(Architecture::ALL.iter().all(|a| error.contains(&format!("`{a}`"))), "{error}");
        let error = "vgg".parse::<Architecture>().unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no architecture named `vgg`; the known ones are resnet18, resnet34, resnet18_ln, resnet18_ghost2, resnet18_w32, custom_resnet, custom_resnet_scaled, custom_resnet_published, speedrun"
        );
    }

    #[test]
    fn no_network_has_no_classes() {
        for a in Architecture::ALL {
            let error = a.parameters(0).unwrap_err().to_string();
            assert!(error.contains("classes"), "{a}: {error}");
        }
    }
}
