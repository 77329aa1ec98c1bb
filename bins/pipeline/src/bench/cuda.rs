//! Training on a GPU: what `train` does there. Data are random and resident, as the peer's.

use anyhow::{Context, Result};
use candle_core::{Device as Host, Tensor};
use wick_augment::{Augmentation, Key, PackedList, Size, Transform};
use wick_cifar::{HEIGHT, WIDTH};
use wick_models::{CompileOptions, Network, StepOptions};
use wick_optim::{Momentum, SgdOptions};
use wick_train::Determinism;
use wick_train::gpu::{
    Batch as GraphBatch, Clip, Data, Device, Drawn, Epoch, Executor, Group, Momentum as Kind, Options, Rates,
    Rule, Settings, Step, Trainer, numbers, values,
};

use super::engine::{Batch, Engine, Gradients, OpTime, optimiser};
use super::options::Precision;

pub struct Cuda {
    trainer: Trainer,
    network: Network,
    /// Images that were uploaded for evaluation, the same at each call, as long as nothing wrote over them.
    loaded: Option<usize>,
}

impl Cuda {
    pub fn new(
        (device, determinism): (&Device, Determinism),
        network: Network,
        precision: Precision,
        batch: usize,
    ) -> Result<Self> {
        let graph = network.architecture.graph(network.classes)?;
        let list = packed()?;
        let images: Vec<u8> = (0..batch * HEIGHT * WIDTH * 3).map(|i| ((i * 7919) % 251) as u8).collect();
        let labels: Vec<u8> = (0..batch).map(|i| (i % network.classes) as u8).collect();
        let data =
            Data { images: &images, labels: &labels, augmentation: &list, label_smoothing: 0.0, parts: 1 };
        let SgdOptions { momentum, dampening, weight_decay, .. } = optimiser();
        let kind = match momentum {
            Momentum::None => Kind::None,
            Momentum::Heavy(_) => Kind::Heavy,
            Momentum::Nesterov(_) => Kind::Nesterov,
        };
        let settings = Settings {
            rule: Rule::Sgd { momentum: kind, dampening },
            weight_decay,
            l1: 0.0,
            clip: Clip::None,
            groups: vec![Group { learning_rate: 1.0, weight_decay: 1.0 }],
            group_of: vec![Some(0); graph.parameters().len()],
        };
        let options: CompileOptions =
            CompileOptions { precision: precision.into(), ..CompileOptions::default() };
        let options = Options { numbers: numbers(options.precision), determinism };
        let mut trainer = Trainer::new(device, &graph, options, settings, data)?;
        upload(trainer.executor(), &network)?;
        let order: Vec<i32> = (0..batch as i32).collect();
        let (mut words, mut packer) = (Vec::new(), list.packer());
        (0..batch as u64).for_each(|index| packer.pack_key(Key { seed: 0, epoch: 1, index }, &mut words));
        let batches = [Drawn { images: batch, dropout_seed: 0, mixing: None }]; // for a network with dropouts
        trainer.begin_epoch(Epoch { order: &order, words: &words, batches: &batches })?;
        Ok(Self { trainer, network, loaded: None })
    }
}

/// Images as they are, normalised.
fn packed() -> Result<PackedList> {
    let list = [Transform::normalize([0.5; 3], [0.25; 3])];
    Ok(Augmentation::new(&list, Size::new(HEIGHT, WIDTH))?.packed()?)
}

fn upload(executor: &mut Executor, network: &Network) -> Result<()> {
    let values = values(network, &executor.graph().clone())?;
    Ok(executor.set_parameters(&values.iter().map(Vec::as_slice).collect::<Vec<_>>())?)
}

fn pixels(batch: &Batch) -> Result<Vec<f32>> {
    Ok(batch.images.flatten_all()?.to_vec1()?)
}

impl Engine for Cuda {
    /// One step, its loss read back: the images are those of the trainer's data set.
    fn train_step(&mut self, batch: &Batch) -> Result<f32> {
        self.loaded = None;
        let rates =
            Rates { learning_rate: optimiser().learning_rate, momentum: optimiser().momentum.coefficient() };
        let reports = self.trainer.steps(0, batch.len(), &[Step { rates, mix: None }])?;
        let report = reports.first().context("the step left nothing")?;
        Ok(report.loss as f32)
    }

    fn evaluate(&mut self, batch: &Batch) -> Result<Tensor> {
        let executor = self.trainer.executor();
        if self.loaded != Some(batch.len()) {
            executor.load(&pixels(batch)?)?;
            self.loaded = Some(batch.len());
        }
        logits(executor.loaded_logits(batch.len())?, batch)
    }

    fn logits_and_gradients(&mut self, batch: &Batch) -> Result<Gradients> {
        self.loaded = None;
        let executor = self.trainer.executor();
        upload(executor, &self.network)?;
        let (images, labels) = (pixels(batch)?, batch.labels.to_vec1()?);
        let step = StepOptions::default();
        executor.training_step(GraphBatch { images: &images, labels: &labels }, step)?;
        let found = executor.training_logits(batch.len(), step)?.context("the step left no logits")?;
        let mut values = vec![Vec::new(); executor.graph().parameters().len()];
        executor.gradients(&mut values)?;
        let of = executor.graph().parameters().iter().zip(values);
        let trained = of.filter(|(parameter, _)| parameter.role == wick_models::GraphRole::Trainable);
        let named = |(parameter, values): (&wick_models::GraphParameter, Vec<f32>)| {
            Ok((parameter.name.clone(), Tensor::from_vec(values, &parameter.shape[..], &Host::Cpu)?))
        };
        let gradients = trained.map(named).collect::<Result<_>>()?;
        Ok(Gradients { logits: logits(found, batch)?, gradients })
    }

    /// Each part by itself: small ones seem longer than they are between others.
    fn profile(&mut self, batch: &Batch) -> Result<Vec<OpTime>> {
        self.loaded = None;
        let times = self.trainer.executor().profile(batch.len())?;
        Ok(times.into_iter().map(|(name, seconds)| OpTime { name, seconds, flops: 0.0 }).collect())
    }
}

fn logits(values: Vec<f32>, batch: &Batch) -> Result<Tensor> {
    let n = batch.len();
    let classes = values.len() / n.max(1);
    Ok(Tensor::from_vec(values, (n, classes), &Host::Cpu)?)
}
