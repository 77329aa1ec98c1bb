//! Where stages compute, as the command line says.

use anyhow::Result;
use wick_train::{Compute, Determinism, Recipe, Wanted};

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub device: Wanted,
    pub determinism: Determinism,
}

impl Asked {
    /// To train as `recipe` says.
    pub fn for_recipe(self, recipe: &Recipe) -> Result<Compute> {
        Ok(told(self.device.open_for(recipe, self.determinism)?))
    }

    /// To judge a network.
    pub fn open(self) -> Result<Compute> {
        Ok(told(self.device.open(self.determinism)?))
    }
}

/// Says so where it is a GPU.
fn told(compute: Compute) -> Compute {
    if let Compute::Cuda(device, _) = &compute {
        eprintln!("computing on {}, cuDNN {}", device.name(), device.cudnn_version());
    }
    compute
}
