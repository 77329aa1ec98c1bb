//! The range test on a recipe's own network and data.

use std::sync::Arc;

use wick_models::Compiled;
use wick_optim::{RangeTest, range_test};

use crate::data::{BatchPlan, Data, training_batches};
use crate::training::Accumulation;
use crate::{Recipe, TrainError, initial};

/// The range test's batches are keyed by epoch 0 (training counts from 1), and a small data set that is gone through
/// again by an epoch so much later, which no training reaches.
const AGAIN: u64 = 1 << 32;

/// Sweeps the learning rate over training batches, from the recipe's initial weights and optimiser, which both are as
/// they were afterwards; weights are not averaged. `progress` is called with the number of steps done.
///
/// # Errors
/// Data or options that do not fit; a failing step. A loss that diverges is no error but the end of the sweep.
pub fn find_lr(
    recipe: &Recipe,
    data: &Arc<Data>,
    progress: &mut dyn FnMut(usize),
) -> Result<RangeTest, TrainError> {
    let network = initial::network(recipe, data)?;
    let mut optimizer = recipe.optimizer(&network.parameters)?;
    let mut compiled = Compiled::new(&network, recipe.compile_options())?;
    let mut accumulation = Accumulation::new(recipe, &network);
    let augmentation = recipe.augmentation()?;
    let variables = network.parameters.all().into_iter().map(|p| p.var).collect::<Vec<_>>();
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
        done += 1;
        progress(done);
        Ok(step.loss + report.penalty)
    })
}
