//! The networks by name.

use std::fmt;
use std::str::FromStr;

use candle_core::Result;
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};
use wick_graph::Graph;

use crate::custom_resnet::{self, CustomResNet, CustomResNetConfig};
use crate::error::ModelError;
use crate::model::Model;
use crate::parameters::{ParameterSpec, Role, recorded};
use crate::resnet::{self, ResNet, ResNetConfig};
use crate::speedrun::{self, SpeedrunConfig, SpeedrunNet};
use crate::summary::Summary;

/// Which network. In files and on the command line it goes by its [`name`](Architecture::name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Architecture {
    /// [`ResNet`] of 2, 2, 2, 2 basic blocks: 11.2 million parameters.
    #[serde(rename = "resnet18")]
    ResNet18,
    /// [`ResNet`] of 3, 4, 6, 3 basic blocks: 21.3 million parameters.
    #[serde(rename = "resnet34")]
    ResNet34,
    /// [`ResNet`] as [`ResNet18`](Self::ResNet18), with layer normalisation and a last map of 8×8.
    #[serde(rename = "resnet18_ln")]
    ResNet18Ln,
    /// [`CustomResNet`]: 6.6 million parameters.
    #[serde(rename = "custom_resnet")]
    CustomResNet,
    /// [`SpeedrunNet`]: 2.0 million parameters.
    #[serde(rename = "speedrun")]
    Speedrun,
}

impl Architecture {
    /// Every architecture.
    pub const ALL: [Architecture; 5] =
        [Self::ResNet18, Self::ResNet34, Self::ResNet18Ln, Self::CustomResNet, Self::Speedrun];

    /// Its name: `resnet18`.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::ResNet18 => "resnet18",
            Architecture::ResNet34 => "resnet34",
            Architecture::ResNet18Ln => "resnet18_ln",
            Architecture::CustomResNet => "custom_resnet",
            Architecture::Speedrun => "speedrun",
        }
    }

    /// The weight `(classes, in)` of its last layer.
    pub(crate) fn last_weight(self) -> &'static str {
        match self {
            Architecture::ResNet18 | Architecture::ResNet34 | Architecture::ResNet18Ln => "linear.weight",
            Architecture::CustomResNet => "fc.weight",
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

    /// Its layers as a graph that can be compiled, of 32×32 images.
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
        match self {
            Architecture::ResNet18 => resnet(ResNetConfig::resnet18()),
            Architecture::ResNet34 => resnet(ResNetConfig::resnet34()),
            Architecture::ResNet18Ln => resnet(ResNetConfig::resnet18_ln()),
            Architecture::CustomResNet => {
                Config::CustomResNet(CustomResNetConfig { classes, ..CustomResNetConfig::default() })
            }
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
        f.write_str(self.name())
    }
}

impl FromStr for Architecture {
    type Err = ModelError;

    fn from_str(name: &str) -> std::result::Result<Self, ModelError> {
        Self::ALL.into_iter().find(|a| a.name() == name).ok_or_else(|| ModelError::UnknownArchitecture {
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
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
        let error = "vgg".parse::<Architecture>().unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no architecture named `vgg`; the known ones are resnet18, resnet34, resnet18_ln, custom_resnet, speedrun"
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
