//! The range test on a recipe's own network and data.

use std::sync::Arc;

use wick_augment::Augmentation;
use wick_cifar::Split;
use wick_cuda::{Determinism, Device};
use wick_models::Compiled;
use wick_optim::{AverageConfig, Point, RangeTest, RangeTestLoss, range_test};

use crate::compute::{Compute, Logits};
use crate::data::{BatchPlan, Data, training_batches};
use crate::evaluate::{EvaluationOptions, mean_loss};
use crate::recipe::{LastBatch, Precision};
use crate::training::{Accumulation, Cuda};
use crate::{Recipe, TrainError, initial};

/// The range test's batches are keyed by epoch 0 (training counts from 1), and a small data set that is gone through
/// again by an epoch so much later, which no training reaches.
const AGAIN: u64 = 1 << 32;

/// Sweeps the learning rate over training batches, from the recipe's initial weights and optimiser, which both are as
/// they were afterwards; weights are not averaged. `progress` is called with the number of steps done.
///
/// The losses are those of the batches, penalty and label smoothing included, or, where the recipe asks for test losses, those that
/// [`evaluate`](crate::evaluate()) finds for [`Data::judging_sample`] after each step. Steps are the same either way.
///
/// # Errors
/// Data or options that do not fit; a failing step. A loss that diverges is no error but the end of the sweep.
pub fn find_lr(
    recipe: &Recipe,
    data: &Arc<Data>,
    progress: &mut dyn FnMut(usize),
) -> Result<RangeTest, TrainError> {
    find_lr_on(&Compute::Cpu, recipe, data, progress)
}

/// The same on the CPU or a GPU.
///
/// # Errors
/// Those of [`find_lr`]; the device's, and what it does not compute.
pub fn find_lr_on(
    compute: &Compute,
    recipe: &Recipe,
    data: &Arc<Data>,
    progress: &mut dyn FnMut(usize),
) -> Result<RangeTest, TrainError> {
    if let Compute::Cuda(device, determinism) = compute {
        return on_gpu((device, *determinism), recipe, data, progress);
    }
    if recipe.train.precision == Precision::Tf32 {
        return Err(TrainError::NotOnCpu);
    }
    let network = initial::network(recipe, data)?;
    let mut optimizer = recipe.optimizer(&network.parameters)?;
    let mut compiled = Compiled::new(&network, recipe.compile_options())?;
    let mut accumulation = Accumulation::new(recipe, &network);
    let augmentation = recipe.augmentation()?;
    let variables = network.parameters.all().into_iter().map(|p| p.var).collect::<Vec<_>>();
    let judge = Judge::new(recipe, data, &augmentation);
    let mut epoch = 0;
    let mut batches = training_batches(data, &augmentation, BatchPlan::of(recipe, epoch));
    let mut done = 0;
    range_test(&recipe.lr_finder, &variables, optimizer.as_mut(), |optimizer| {
        let batch = match batches.next() {
            Some(batch) => batch?,
            None => {
                epoch += AGAIN;
                batches = training_batches(data, &augmentation, BatchPlan::of(recipe, epoch));
                batches.next().ok_or(TrainError::NoSteps { batch_size: recipe.train.batch_size })??
            }
        };
        let step = accumulation.step(&mut compiled, &batch)?;
        let report = optimizer.step(step.gradients)?;
        let loss = judge.loss(step.loss + report.penalty, &mut compiled)?;
        done += 1;
        progress(done);
        Ok(loss)
    })
}

fn on_gpu(
    device: (&Device, Determinism),
    recipe: &Recipe,
    data: &Arc<Data>,
    progress: &mut dyn FnMut(usize),
) -> Result<RangeTest, TrainError> {
    let network = initial::network(recipe, data)?;
    let recipe = &Recipe { average: AverageConfig::None {}, ..recipe.clone() };
    let length = recipe.length(data.train_indices.len());
    let mut optimizer = recipe.optimizer(&network.parameters)?;
    let mut average = recipe.average(&network.parameters, length)?;
    let mut cuda = Cuda::new(device, recipe, data, &network, length)?;
    cuda.push(&network, optimizer.as_ref(), &mut average)?;
    let augmentation = recipe.augmentation()?;
    let judge = Judge::new(recipe, data, &augmentation);
    let size = recipe.train.batch_size;
    let mut order = cuda.begin_epoch(data, recipe.seed, 0, &[])?;
    let (mut epoch, mut first, mut done) = (0, 0, 0);
    // What the sweep changes is on the GPU; the optimiser here tells what rate it is at.
    range_test(&recipe.lr_finder, [], optimizer.as_mut(), |optimizer| {
        let left = order.len() - first;
        if left == 0 || left < size && recipe.train.last_batch == LastBatch::Drop {
            epoch += AGAIN;
            order = cuda.begin_epoch(data, recipe.seed, epoch, &[])?;
            first = 0;
        }
        let point = Point { learning_rate: optimizer.learning_rate(), momentum: optimizer.momentum() };
        let batch = size.min(order.len() - first);
        let reports = cuda.steps((first, batch), done as u64, &[point])?;
        let trained = reports.first().map_or(f64::NAN, |report| report.loss + report.penalty);
        let loss = judge.loss(trained, cuda.executor())?;
        first += batch;
        done += 1;
        progress(done);
        Ok::<f64, TrainError>(loss)
    })
}

/// Says which loss of a step counts.
enum Judge<'a> {
    Train,
    Test { augmentation: &'a Augmentation, split: &'a Split, indices: Vec<usize>, options: EvaluationOptions },
}

impl<'a> Judge<'a> {
    fn new(recipe: &Recipe, data: &'a Data, augmentation: &'a Augmentation) -> Self {
        match recipe.lr_finder.loss {
            RangeTestLoss::Train => Self::Train,
            RangeTestLoss::Test => {
                let (split, indices) = data.judging_sample(recipe.lr_finder.sample);
                Self::Test { augmentation, split, indices, options: recipe.evaluate.options() }
            }
        }
    }

    /// Of the loss of a step's batch and the network after the step. A batch's loss that is no number leaves nothing to judge.
    fn loss(&self, trained: f64, network: &mut dyn Logits) -> Result<f64, TrainError> {
        match self {
            Self::Test { augmentation, split, indices, options } if trained.is_finite() => {
                mean_loss(network, augmentation, split, indices, *options)
            }
            _ => Ok(trained),
        }
    }
}
