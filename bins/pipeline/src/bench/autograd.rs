//! Training by candle's autograd over single ops, in f32.

use std::time::Instant;

use anyhow::{Result, bail};
use candle_core::{Tensor, backprop::GradStore};
use wick_models::Network;
use wick_optim::{Optimizer, Sgd};

use super::engine::{Batch, Engine, Gradients, OpTime, optimiser};
use super::options::Precision;
use super::work::forward_flops;

pub struct Autograd {
    network: Network,
    optimiser: Sgd,
    /// Of one image, forward.
    flops: f64,
}

impl Autograd {
    /// Any size of batch will do.
    pub fn new(network: Network, precision: Precision, _batch: usize) -> Result<Self> {
        if precision != Precision::F32 {
            bail!("the engine `autograd` computes in f32 alone; got --precision bf16");
        }
        let optimiser = Sgd::new(network.parameters.trainable(), optimiser())?;
        let flops = forward_flops(network.architecture)?;
        Ok(Self { network, optimiser, flops })
    }

    /// Logits and loss.
    fn forward(&self, batch: &Batch) -> Result<(Tensor, Tensor)> {
        let logits = self.network.model.forward_t(&batch.images, true)?;
        let loss = wick_ops::cross_entropy(&logits, &batch.labels, 0.0)?;
        Ok((logits, loss))
    }

    fn gradients(&self, store: &GradStore) -> Vec<(String, Tensor)> {
        let trainable = self.network.parameters.trainable().into_iter();
        trainable.filter_map(|(name, var)| Some((name, store.get(&var)?.clone()))).collect()
    }
}

impl Engine for Autograd {
    fn train_step(&mut self, batch: &Batch) -> Result<f32> {
        let (_, loss) = self.forward(batch)?;
        self.optimiser.step(&loss.backward()?)?;
        Ok(loss.to_scalar()?)
    }

    fn evaluate(&mut self, batch: &Batch) -> Result<Tensor> {
        Ok(wick_ops::no_grad(|| self.network.model.forward_t(&batch.images, false))?)
    }

    fn logits_and_gradients(&mut self, batch: &Batch) -> Result<Gradients> {
        let (logits, loss) = self.forward(batch)?;
        Ok(Gradients { logits, gradients: self.gradients(&loss.backward()?) })
    }

    /// Only as fine as this: what candle does between forward and backward of an op cannot be seen from outside.
    fn profile(&mut self, batch: &Batch) -> Result<Vec<OpTime>> {
        let part = |name: &str, began: Instant, flops: f64| OpTime {
            name: name.to_owned(),
            seconds: began.elapsed().as_secs_f64(),
            flops,
        };
        let flops = self.flops * batch.len() as f64;
        let began = Instant::now();
        let (_, loss) = self.forward(batch)?;
        let forward = part("forward", began, flops);
        let began = Instant::now();
        let gradients = loss.backward()?;
        let backward = part("backward", began, 2.0 * flops);
        let began = Instant::now();
        self.optimiser.step(&gradients)?;
        drop((gradients, loss));
        Ok(vec![forward, backward, part("optimiser", began, 0.0)])
    }
}
