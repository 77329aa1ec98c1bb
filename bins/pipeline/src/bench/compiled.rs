//! Training by the compiled passes, f32 or bf16: what `train` does.

use std::time::Instant;

use anyhow::Result;
use candle_core::{Device, Tensor, Var};
use wick_models::{CompileOptions, Compiled as Passes, Network, Profiling, StepOptions};
use wick_optim::{Optimizer, Sgd};

use super::engine::{Batch, Engine, Gradients, OpTime, optimiser};
use super::options::Precision;

pub struct Compiled {
    passes: Passes,
    /// The same, telling what each pass takes.
    told: Passes,
    network: Network,
    optimiser: Sgd,
}

impl Compiled {
    pub fn new(network: Network, precision: Precision) -> Result<Self> {
        let options = CompileOptions { precision: precision.into(), ..CompileOptions::default() };
        let passes = Passes::new(&network, options)?;
        let told = Passes::new(&network, CompileOptions { profiling: Profiling::On, ..options })?;
        let optimiser = Sgd::new(network.parameters.trainable(), optimiser())?;
        Ok(Self { passes, told, network, optimiser })
    }
}

impl Engine for Compiled {
    fn train_step(&mut self, batch: &Batch) -> Result<f32> {
        let step =
            self.passes.training_step(&batch.images, &batch.labels.to_vec1()?, StepOptions::default())?;
        self.optimiser.step(step.gradients)?;
        Ok(step.loss)
    }

    fn evaluate(&mut self, batch: &Batch) -> Result<Tensor> {
        logits(self.passes.logits(&batch.images)?, batch)
    }

    fn logits_and_gradients(&mut self, batch: &Batch) -> Result<Gradients> {
        let step =
            self.passes.training_step(&batch.images, &batch.labels.to_vec1()?, StepOptions::default())?;
        let trainable = self.network.parameters.trainable().into_iter();
        let of =
            |(name, var): (String, Var)| step.gradients.get(&var).map(|gradient| (name, gradient.clone()));
        let gradients = trainable.filter_map(of).collect();
        Ok(Gradients { logits: logits(step.logits, batch)?, gradients })
    }

    fn profile(&mut self, batch: &Batch) -> Result<Vec<OpTime>> {
        let labels = batch.labels.to_vec1()?;
        self.told.training_step(&batch.images, &labels, StepOptions::default())?; // takes its memory
        self.told.executor().take_profile();
        let step = self.told.training_step(&batch.images, &labels, StepOptions::default())?;
        let began = Instant::now();
        self.optimiser.step(step.gradients)?;
        let seconds = began.elapsed().as_secs_f64();
        let rows = self.told.executor().take_profile().into_iter();
        let named =
            rows.map(|row| OpTime { name: row.op.to_owned(), seconds: row.seconds, flops: row.flops });
        let optimiser = OpTime { name: "optimiser".to_owned(), seconds, flops: 0.0 };
        Ok(named.chain([optimiser]).collect())
    }
}

fn logits(values: &[f32], batch: &Batch) -> Result<Tensor> {
    let n = batch.len();
    Ok(Tensor::from_slice(values, (n, values.len() / n.max(1)), &Device::Cpu)?)
}
