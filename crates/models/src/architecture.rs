//! The networks by name.

use std::fmt;
use std::str::FromStr;

use candle_core::Result;
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};
use wick_graph::Graph;

use crate::error::ModelError;
use crate::model::Model;
use crate::parameters::{ParameterSpec, recorded};
use crate::resnet::{self, ResNet, ResNetConfig};
use crate::summary::Summary;

/// Which network. Its name, in files and on the command line, is the variant in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// [`ResNet`] of 2, 2, 2, 2 basic blocks: 11.2 million parameters.
    ResNet18,
    /// [`ResNet`] of 3, 4, 6, 3 basic blocks: 21.3 million parameters.
    ResNet34,
}

impl Architecture {
    /// Every architecture.
    pub const ALL: [Architecture; 2] = [Architecture::ResNet18, Architecture::ResNet34];

    /// Its name: `resnet18`.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::ResNet18 => "resnet18",
            Architecture::ResNet34 => "resnet34",
        }
    }

    /// The names and shapes of its parameters and buffers, in the network's order.
    ///
    /// # Errors
    /// Zero classes.
    pub fn parameters(self, classes: usize) -> Result<Vec<ParameterSpec>> {
        recorded(|vb| build(self, classes, vb).map(drop))
    }

    /// Its layers as a graph that can be compiled, of 32×32 images.
    ///
    /// # Errors
    /// Zero classes.
    pub fn graph(self, classes: usize) -> std::result::Result<Graph, ModelError> {
        Ok(resnet::graph(&self.config(classes))?)
    }

    fn config(self, classes: usize) -> ResNetConfig {
        match self {
            Architecture::ResNet18 => ResNetConfig { classes, ..ResNetConfig::resnet18() },
            Architecture::ResNet34 => ResNetConfig { classes, ..ResNetConfig::resnet34() },
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
/// [`Parameters`](crate::Parameters) makes a `vb` whose values depend on a seed alone.
///
/// # Errors
/// Zero classes; parameters that `vb` cannot give.
pub fn build(architecture: Architecture, classes: usize, vb: VarBuilder) -> Result<Model> {
    Ok(Box::new(ResNet::new(architecture.config(classes), vb)?))
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
        assert_eq!(error, "there is no architecture named `vgg`; the known ones are resnet18, resnet34");
    }

    #[test]
    fn no_network_has_no_classes() {
        let error = Architecture::ResNet18.parameters(0).unwrap_err().to_string();
        assert!(error.contains("classes"), "{error}");
    }
}
