//! The part of a run that a GPU carries out: whole steps, with nothing read back between them.

mod rule;

use candle_core::{Tensor, Var};
use wick_augment::PackedList;
use wick_cuda::training::{
    Clip, Data as Resident, Epoch, Group, Mix, Rates, Settings, Step, StepReport, Trainer, Values,
};
use wick_cuda::{Determinism, Device, Executor, Numbers, Options};
use wick_models::{GraphRole as Role, Network};
use wick_optim::{Average, AverageConfig, Length, Optimizer, Point, Weights};

use super::draws;
use crate::compute::values;
use crate::data::{Data, Drawn};
use crate::recipe::{self, Precision};
use crate::{Recipe, TrainError};
use rule::{Buffers, Chosen};

/// Steps that are begun before the losses of the first are looked at.
pub(crate) const TOGETHER: usize = 64;

/// A network that is trained on a GPU.
#[derive(Debug)]
pub(crate) struct Cuda {
    trainer: Trainer,
    packed: PackedList,
    /// In the graph's order.
    names: Vec<String>,
    variables: Vec<Var>,
    groups: Vec<Option<usize>>,
    buffers: Buffers,
    momentum: f64,
    batch_size: usize,
    mix: recipe::Mix,
    average: AverageConfig,
    length: Length,
    /// Weights that are in the average.
    averaged: u64,
}

impl Cuda {
    /// Whether a GPU computes all that a recipe asks for.
    pub fn check(recipe: &Recipe) -> Result<(), TrainError> {
        recipe.augmentation()?.packed().map_err(TrainError::Augment)?;
        Ok(())
    }

    pub fn new(
        (device, determinism): (&Device, Determinism),
        recipe: &Recipe,
        data: &Data,
        network: &Network,
        length: Length,
    ) -> Result<Self, TrainError> {
        Self::check(recipe)?;
        let Chosen { rule, weight_decay, buffers } = Chosen::of(&recipe.optim);
        let graph = network.architecture.graph(network.classes)?;
        let names: Vec<String> = graph.parameters().iter().map(|p| p.name.clone()).collect();
        let variables: Vec<Var> = names.iter().filter_map(|name| network.parameters.get(name)).collect();
        // Group 0 is what no group of the recipe has.
        let factors = |group: &wick_optim::Group| Group {
            learning_rate: group.learning_rate,
            weight_decay: group.weight_decay,
        };
        let plain = Group { learning_rate: 1.0, weight_decay: 1.0 };
        let groups = std::iter::once(plain).chain(recipe.groups.iter().map(factors)).collect();
        let of = |(name, variable): (&String, &Var)| {
            let last = recipe.groups.iter().rposition(|group| group.has(name, variable.rank()));
            Some(last.map_or(0, |at| at + 1))
        };
        let group_of: Vec<Option<usize>> = names.iter().zip(&variables).map(of).collect();
        let clip = match recipe.gradients.clip {
            wick_optim::Clip::None => Clip::None,
            wick_optim::Clip::Value(limit) => Clip::Value(limit),
            wick_optim::Clip::Norm(most) => Clip::Norm(most),
        };
        let l1 = recipe.gradients.l1;
        let settings = Settings { rule, weight_decay, l1, clip, groups, group_of: group_of.clone() };
        let packed = recipe.augmentation()?.packed().map_err(TrainError::Augment)?;
        let options = Options { numbers: numbers(recipe.train.precision), determinism };
        let train = &data.dataset.train;
        let resident = Resident {
            images: train.images(),
            labels: train.labels(),
            augmentation: &packed,
            label_smoothing: recipe.train.label_smoothing as f32,
            parts: recipe.train.accumulate,
        };
        Ok(Self {
            trainer: Trainer::new(device, &graph, options, settings, resident)?,
            packed,
            names,
            variables,
            groups: group_of,
            buffers,
            momentum: recipe.optim.momentum().unwrap_or(0.0),
            batch_size: recipe.train.batch_size,
            mix: recipe.train.mix,
            average: recipe.average,
            length,
            averaged: 0,
        })
    }

    /// The network, to be judged.
    pub fn executor(&mut self) -> &mut Executor {
        self.trainer.executor()
    }

    /// Has the network on the GPU hold these weights. It holds the trained ones otherwise.
    pub fn exchange(&mut self) -> Result<(), TrainError> {
        if self.averaged > 0 {
            self.trainer.exchange()?;
        }
        Ok(())
    }

    /// Takes over everything from where the CPU keeps it: variables, which hold the trained weights, optimiser, average.
    pub fn push(
        &mut self,
        network: &Network,
        optimizer: &dyn Optimizer,
        average: &mut Average,
    ) -> Result<(), TrainError> {
        let state = average.state()?; // which shows the average
        let count = state.iter().find(|(name, _)| name == AVERAGED);
        self.averaged = match count {
            Some((_, count)) => count.to_vec1::<i64>()?.first().map_or(0, |n| n.unsigned_abs()),
            None => 0,
        };
        let graph = self.trainer.executor().graph().clone();
        if self.averaged > 0 {
            self.trainer.set_averaged(&slices(&values(network, &graph)?))?;
        }
        average.show(Weights::Trained)?;
        self.trainer.executor().set_parameters(&slices(&values(network, &graph)?))?;
        let steps = optimizer.steps();
        if steps > 0 {
            let state = optimizer.state()?;
            let buffers = self
                .buffers
                .names
                .iter()
                .map(|slot| self.buffers(slot, &state))
                .collect::<Result<Vec<_>, _>>()?;
            let buffers: Vec<Vec<&[f32]>> = buffers.iter().map(|b| slices(b)).collect();
            self.trainer.set_state(steps, &buffers)?;
        }
        Ok(())
    }

    /// Has the variables hold what judges: the average, or the trained weights where there is none.
    pub fn show(&mut self) -> Result<(), TrainError> {
        let averaged = if self.averaged > 0 { self.trainer.averaged()? } else { None };
        let shown = match averaged {
            Some(averaged) => averaged,
            None => self.trained()?,
        };
        self.set(&shown)
    }

    fn trained(&mut self) -> Result<Values, TrainError> {
        let mut trained = vec![Vec::new(); self.names.len()];
        self.trainer.executor().parameters(&mut trained)?;
        Ok(trained)
    }

    /// Every trained parameter's name and values.
    pub fn weights(&mut self) -> Result<Vec<(String, Vec<f32>)>, TrainError> {
        let trained = self.trained()?;
        let roles = self.trainer.executor().graph().parameters().iter().map(|p| p.role);
        let all = self.names.iter().cloned().zip(trained).zip(roles);
        Ok(all.filter(|(_, role)| *role == Role::Trainable).map(|(weights, _)| weights).collect())
    }

    fn set(&self, values: &Values) -> Result<(), TrainError> {
        for (variable, values) in self.variables.iter().zip(values) {
            variable.set(&Tensor::from_slice(values, variable.shape(), variable.device())?)?;
        }
        Ok(())
    }

    /// Gives everything back to where the CPU keeps it. Variables hold the trained weights then.
    pub fn pull(&mut self, optimizer: &mut dyn Optimizer, average: &mut Average) -> Result<(), TrainError> {
        let trained = self.trained()?;
        let averaged = if self.averaged > 0 { self.trainer.averaged()? } else { None };
        self.set(averaged.as_ref().unwrap_or(&trained))?;
        if self.average != (AverageConfig::None {}) {
            let mut state = Vec::new();
            let count = i64::try_from(self.averaged).unwrap_or(i64::MAX);
            state.push((AVERAGED.to_owned(), Tensor::new(&[count], &candle_core::Device::Cpu)?));
            if averaged.is_some() {
                let graph = self.trainer.executor().graph().clone();
                let all = graph.parameters().iter().zip(&self.variables).zip(&trained);
                for ((parameter, variable), values) in all.filter(|((p, _), _)| p.role != Role::Frozen) {
                    let tensor = Tensor::from_slice(values, variable.shape(), variable.device())?;
                    state.push((format!("trained/{}", parameter.name), tensor));
                }
            }
            average.load_state(&state)?;
        }
        let (steps, buffers) = self.trainer.state()?;
        let mut state = Vec::new();
        let names: Vec<String> = optimizer.variables().into_iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            let count = i64::try_from(steps).unwrap_or(i64::MAX);
            state.push((format!("step/{name}"), Tensor::new(&[count], &candle_core::Device::Cpu)?));
            let Some(at) = self.names.iter().position(|n| *n == name).filter(|_| steps > 0) else { continue };
            if !self.buffers.are_kept(self.variables[at].rank()) {
                continue;
            }
            for (slot, values) in self.buffers.names.iter().zip(&buffers) {
                let tensor =
                    Tensor::from_slice(&values[at], self.variables[at].shape(), &candle_core::Device::Cpu)?;
                state.push((format!("{slot}/{name}"), tensor));
            }
        }
        Ok(optimizer.load_state(&state)?)
    }

    /// Begins an epoch: its order, what was drawn for each of its images and batches, and what is left alone in it. Of each place of the
    /// order, the image whose label is counted as right.
    pub fn begin_epoch(
        &mut self,
        data: &Data,
        seed: u64,
        epoch: u64,
        frozen: &[&str],
    ) -> Result<Vec<usize>, TrainError> {
        let order = data.epoch_order(seed, epoch);
        let words = draws::words(&self.packed, &order, seed, epoch);
        let indices: Vec<i32> = order.iter().map(|i| *i as i32).collect();
        let drawn = Drawn { seed, epoch, step: 0, mix: self.mix };
        let (batches, counted) = draws::batches(&order, self.batch_size, self.packed.output(), drawn);
        self.trainer.begin_epoch(Epoch { order: &indices, words: &words, batches: &batches })?;
        let named = |name: &String| frozen.iter().any(|part| name.contains(part));
        let groups = self.names.iter().zip(&self.groups).map(|(name, group)| group.filter(|_| !named(name)));
        self.trainer.set_groups(&groups.collect::<Vec<_>>())?;
        Ok(counted)
    }

    /// Steps through the images of the epoch from number `first` on: of `batch` images each, as many as there are points, at most
    /// [`TOGETHER`]. `done` steps of the run were taken before.
    pub fn steps(
        &mut self,
        (first, batch): (usize, usize),
        done: u64,
        points: &[Point],
    ) -> Result<Vec<StepReport>, TrainError> {
        let mut steps = Vec::new();
        for (number, point) in (done + 1..).zip(points) {
            let rates = Rates {
                learning_rate: point.learning_rate,
                momentum: point.momentum.unwrap_or(self.momentum),
            };
            let mixing = self.average.mixing(number, self.length, self.averaged);
            let mix = mixing.map(|mixing| {
                let weight = mixing.weight.unwrap_or(0.0) as f32;
                self.averaged += u64::from(mixing.weight.is_some());
                if mixing.gives { Mix::Meet(weight) } else { Mix::Follow(weight) }
            });
            steps.push(Step { rates, mix });
        }
        Ok(self.trainer.steps(first, batch, &steps)?)
    }

    fn buffers(&self, slot: &str, state: &[(String, Tensor)]) -> Result<Values, TrainError> {
        let of = |(name, variable): (&String, &Var)| {
            let wanted = format!("{slot}/{name}");
            match state.iter().find(|(name, _)| *name == wanted) {
                Some((_, tensor)) => Ok(tensor.flatten_all()?.to_vec1::<f32>()?),
                None => Ok(vec![0.0; variable.elem_count()]),
            }
        };
        self.names.iter().zip(&self.variables).map(of).collect()
    }
}

/// What an average calls the number of weights in it.
const AVERAGED: &str = "averaged";

fn slices(values: &[Vec<f32>]) -> Vec<&[f32]> {
    values.iter().map(Vec::as_slice).collect()
}

/// In which numbers a recipe asks for.
fn numbers(precision: Precision) -> Numbers {
    match precision {
        Precision::F32 => Numbers::F32,
        Precision::Tf32 => Numbers::Tf32,
        Precision::Bf16 => Numbers::Bf16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_computes_what_a_recipe_may_ask_for() {
        for assignment in [
            "train.mix={ mixup = 0.2 }",
            "train.mix={ cutmix = 1.0 }",
            "train.accumulate=2",
            "model.architecture=custom_resnet_published",
        ] {
            let layers = crate::Layers::default().over("tiny.toml", include_str!("../../examples/tiny.toml"));
            let recipe = layers.unwrap().set(assignment).unwrap().resolve().unwrap();
            assert!(Cuda::check(&recipe).is_ok(), "{assignment}");
        }
    }
}
