//! The network that a run begins with.

use candle_core::Device;
use wick_models::{Architecture, Network, start_speedrun};

use crate::data::{Data, evaluation_batches};
use crate::{Recipe, TrainError};

/// Images from which the speedrun's whitening filters are made, those of cifar10-airbench.
const WHITENED: usize = 5000;

/// A recipe's network with its initial weights: a function of the seed, and of the speedrun's also the first training images.
pub(crate) fn network(recipe: &Recipe, data: &Data) -> Result<Network, TrainError> {
    let network = Network::new(recipe.model.architecture, data.classes(), recipe.seed, &Device::Cpu)?;
    if network.architecture == Architecture::Speedrun {
        let first = &data.train_indices[..data.train_indices.len().min(WHITENED)];
        let augmentation = recipe.augmentation()?;
        for batch in evaluation_batches(&augmentation, &data.dataset.train, first, WHITENED) {
            start_speedrun(&network.parameters, &batch?.images)?;
        }
    }
    Ok(network)
}
