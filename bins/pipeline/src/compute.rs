//! Where stages compute, as the command line says.

use anyhow::Result;
use wick_train::{Compute, Determinism, Recipe, TrainError, Wanted};

use crate::terminal::note;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub device: Wanted,
    pub determinism: Determinism,
}

impl Asked {
    /// To train as `recipe` says.
    pub fn for_recipe(self, recipe: &Recipe) -> Result<Compute> {
        told(self.device.open(Some(recipe), self.determinism)?)
    }

    /// To judge a network.
    pub fn open(self) -> Result<Compute> {
        told(self.device.open(None, self.determinism)?)
    }
}

/// Says so where it is a GPU, or where one is left alone.
fn told((compute, instead): (Compute, Option<TrainError>)) -> Result<Compute> {
    if let Compute::Cuda(device, _) = &compute {
        note(&format!("computing on {}, cuDNN {}", device.name(), device.cudnn_version()));
    }
    if let Some(why) = instead {
        note(&format!("computing on the CPU: {why}"));
    }
    Ok(compute)
}
