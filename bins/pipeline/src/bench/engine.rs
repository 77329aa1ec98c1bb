//! What is measured, whichever way it computes.

use anyhow::Result;
use candle_core::Tensor;
use wick_models::Network;
use wick_optim::{Momentum, SgdOptions};
use wick_train::Compute;

use super::autograd::Autograd;
use super::compiled::Compiled;
use super::cuda::Cuda;
use super::options::{EngineKind, Precision};

/// Images and their labels.
pub struct Batch {
    /// `(N, 32, 32, 3)`, f32.
    pub images: Tensor,
    /// `(N)`, u32.
    pub labels: Tensor,
}

impl Batch {
    /// N.
    pub fn len(&self) -> usize {
        self.labels.elem_count()
    }
}

/// A network that can be trained: one implementation for each way of computing.
pub trait Engine {
    /// Forward, backward and one step of [`optimiser`]; returns the loss before the step.
    fn train_step(&mut self, batch: &Batch) -> Result<f32>;

    /// Logits `(N, classes)` with the running statistics.
    fn evaluate(&mut self, batch: &Batch) -> Result<Tensor>;

    /// Logits in training, and the gradient of the loss in each trainable parameter; no step is taken.
    fn logits_and_gradients(&mut self, batch: &Batch) -> Result<Gradients>;

    /// Does a training step and returns what its parts took, in order; parts of one name are added up later.
    fn profile(&mut self, batch: &Batch) -> Result<Vec<OpTime>>;
}

/// Of one batch.
pub struct Gradients {
    /// `(N, classes)`, f32, with the batch's own statistics.
    pub logits: Tensor,
    /// f32, by name, in the parameters' shapes (filters `(KH, KW, C_in, C_out)`).
    pub gradients: Vec<(String, Tensor)>,
}

/// One run of one part of a training step.
pub struct OpTime {
    /// What it is: `layer1.0.conv1 forward`, or coarser.
    pub name: String,
    pub seconds: f64,
    /// Floating-point operations as if computed directly; 0 where they are not counted.
    pub flops: f64,
}

/// Makes the engine that computes, where that is said, with `network`'s parameters, for batches of up to `batch` images.
///
/// # Errors
/// A precision that the engine does not have.
pub fn open(
    (kind, compute): (EngineKind, &Compute),
    network: Network,
    precision: Precision,
    batch: usize,
) -> Result<Box<dyn Engine>> {
    match (kind, compute) {
        (EngineKind::Compiled, Compute::Cuda(device, determinism)) => {
            Ok(Box::new(Cuda::new((device, *determinism), network, precision, batch)?))
        }
        (EngineKind::Compiled, Compute::Cpu) => Ok(Box::new(Compiled::new(network, precision)?)),
        (EngineKind::Autograd, _) => Ok(Box::new(Autograd::new(network, precision, batch)?)),
    }
}

/// The peer's: `torch.optim.SGD(lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)`.
pub fn optimiser() -> SgdOptions {
    SgdOptions { learning_rate: 0.01, momentum: Momentum::Nesterov(0.9), dampening: 0.0, weight_decay: 5e-4 }
}
