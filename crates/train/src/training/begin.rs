//! How training begins, or goes on from a checkpoint.

use std::sync::Arc;
use std::time::Instant;

use candle_core::Tensor;
use wick_models::Metadata;
use wick_runs::RunDir;

use super::engine::{Engine, Host};
use super::{AVERAGE, Cuda, Event, Observer, Start, Training, rows};
use crate::checkpoint::{self, State};
use crate::compute::Compute;
use crate::data::Data;
use crate::watch::{Pace, Watch};
use crate::{Recipe, TrainError, initial};

impl<'a> Training<'a> {
    pub(super) fn begin(
        recipe: &'a Recipe,
        data: &'a Arc<Data>,
        run: &'a RunDir,
        (compute, start): (&Compute, Start),
        observer: &mut Observer<'_>,
    ) -> Result<Self, TrainError> {
        let network = initial::network(recipe, data)?;
        let mut optimizer = recipe.optimizer(&network.parameters)?;
        let length = recipe.length(data.train_indices.len());
        let mut average = recipe.average(&network.parameters, length)?;
        let state = if start == Start::Resume && run.last_state().exists() {
            let (state, tensors) = checkpoint::load(run, &network)?;
            let (averaged, buffers) = divided(tensors);
            if state.data_sha256 != data.sha256 {
                let (expected, got) = (state.data_sha256, data.sha256.clone());
                return Err(TrainError::OtherData { expected, got });
            }
            if state.recipe_sha256 != recipe.identity() {
                return Err(TrainError::OtherRecipe { path: run.path().to_owned() });
            }
            optimizer.load_state(&buffers)?;
            average.load_state(&averaged)?;
            if recipe.schedule.needs_metrics() && state.judged.len() as u64 != state.epoch - 1 {
                let (judged, epochs) = (state.judged.len(), state.epoch - 1);
                let message = format!("it tells how {judged} epochs ended, {epochs} are done; begin anew");
                return Err(TrainError::Checkpoint { path: run.last_state(), message });
            }
            let rows_cut = rows::cut(run, state.epoch - 1, state.step)?;
            let (epoch, step_in_epoch) = (state.epoch, state.step_in_epoch);
            observer(Event::Resumed { epoch, epochs: length.epochs, step_in_epoch, rows_cut });
            state
        } else {
            // What has begun goes on as it was, whatever its schedule.
            recipe.check_length(length)?;
            let rows_cut = rows::begin(run, start)?;
            if rows_cut > 0 {
                let epochs = length.epochs;
                observer(Event::Resumed { epoch: 1, epochs, step_in_epoch: 0, rows_cut });
            }
            let found_lr = match recipe.schedule.needs_range_test() {
                true => Some(rows::suggestion(run)?),
                false => None,
            };
            State::new(recipe, found_lr, &data.sha256)
        };
        let schedule = recipe.schedule(length, state.found_lr)?;
        let pace = Pace::of(recipe, &schedule, length);
        let watch = Watch::new(data.classes(), pace, state.watched.clone());
        let engine = match compute {
            Compute::Cpu => Engine::Host(Box::new(Host::new(recipe, &network)?)),
            Compute::Cuda(device, determinism) => {
                let mut cuda = Cuda::new((device, *determinism), recipe, data, &network, length)?;
                cuda.push(&network, optimizer.as_ref(), &mut average)?;
                Engine::Cuda(Box::new(cuda))
            }
        };
        Ok(Self {
            recipe,
            data,
            run,
            augmentation: recipe.augmentation()?,
            metadata: metadata(recipe, data),
            engine,
            network,
            optimizer,
            average,
            schedule,
            state,
            watch,
            unsaved: Vec::new(),
            gradient_norms: Vec::new(),
            saved_at: Instant::now(),
        })
    }
}

/// What a weights file says of itself besides the architecture.
fn metadata(recipe: &Recipe, data: &Data) -> Metadata {
    Metadata {
        classes: Some(data.dataset.class_names.clone()),
        normalisation: recipe.normalisation(),
        ..Metadata::default()
    }
}

type Tensors = Vec<(String, Tensor)>;

/// A checkpoint's tensors: the average's, by the names it knows them, and the optimiser's.
fn divided(tensors: Tensors) -> (Tensors, Tensors) {
    let (mut averaged, mut buffers) = (Vec::new(), Vec::new());
    for (name, tensor) in tensors {
        match name.strip_prefix(AVERAGE) {
            Some(name) => averaged.push((name.to_owned(), tensor)),
            None => buffers.push((name, tensor)),
        }
    }
    (averaged, buffers)
}
