//! A network together with its variables.

use std::path::Path;

use candle_core::Device;

use crate::architecture::{Architecture, build};
use crate::error::ModelError;
use crate::model::Model;
use crate::parameters::Parameters;
use crate::weights::{self, Checkpoint, Metadata};

/// A network, its variables, and what it is.
#[derive(Debug)]
pub struct Network {
    /// Which network.
    pub architecture: Architecture,
    /// Its number of outputs.
    pub classes: usize,
    /// The network: images to logits.
    pub model: Model,
    /// The variables it computes with.
    pub parameters: Parameters,
}

impl Network {
    /// A new network as PyTorch starts it: convolutions and the linear layer uniform in `±1/√fan_in`, norms 1 and 0.
    ///
    /// The same seed gives the same network, on every machine.
    ///
    /// # Errors
    /// Zero classes; memory that `device` does not have.
    pub fn new(
        architecture: Architecture,
        classes: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let parameters = Parameters::seeded(seed);
        let model = build(architecture, classes, parameters.builder(device))?;
        parameters.set_roles(|name| architecture.role(name));
        Ok(Self { architecture, classes, model, parameters })
    }

    /// The network of a checkpoint, of this program or of PyTorch, with the checkpoint's metadata.
    ///
    /// Its architecture is the one `given`, or else that of the metadata, or else the one with these tensors.
    ///
    /// # Errors
    /// As [`Checkpoint::read`] and [`Checkpoint::network`].
    pub fn load(
        path: &Path,
        given: Option<Architecture>,
        device: &Device,
    ) -> Result<(Self, Metadata), ModelError> {
        let checkpoint = Checkpoint::read(path)?;
        Ok((checkpoint.network(given, device)?, checkpoint.metadata))
    }

    /// Writes its weights as safetensors to `path`; `metadata.architecture` is filled in.
    ///
    /// # Errors
    /// As [`weights::save`].
    pub fn save(&self, path: &Path, metadata: &Metadata) -> Result<(), ModelError> {
        let metadata = Metadata { architecture: Some(self.architecture), ..metadata.clone() };
        weights::save(path, &self.parameters, &metadata)
    }
}
