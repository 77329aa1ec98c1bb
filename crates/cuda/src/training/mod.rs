//! Training without the host: data set, batches, updates and averages on the device, a step one recorded graph.

mod data;
mod draws;
mod muon;
mod parts;
mod rule;
mod update;

use std::collections::HashMap;
use std::ops::Range;

use wick_augment::packed::PackedList;
use wick_graph::{Graph, Role, parts};

use crate::device::Program;
use crate::executor::{Dropout, Executor, Mode, Options, Places, Stage, expect};
use crate::{Buffer, CudaError, Device};
use data::{Part, Resident};

#[cfg(test)]
pub(crate) use update::program;

pub use draws::{Drawn, Epoch, Mixing};
pub use muon::{Elsewhere, Filters, Muon};
pub use rule::{Clip, Decay, Group, Momentum, Rates, Rule, Settings};

/// What a step leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Mean cross-entropy over the batch.
    pub loss: f64,
    /// The penalty `l1·Σ|p|`.
    pub penalty: f64,
    /// The norm of the gradient, the penalty's share included, where a penalty or a clip needs it.
    pub gradient_norm: Option<f64>,
    /// The class of the largest logit of each image.
    pub predicted: Vec<u8>,
}

/// What is averaged behind a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mix {
    /// `slow ← slow + weight·(values − slow)`; a weight of 1 takes them over.
    Follow(f32),
    /// The same, then the values are the slow ones.
    Meet(f32),
}

/// One step to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Learning rate and momentum.
    pub rates: Rates,
    /// What is averaged behind it.
    pub mix: Option<Mix>,
}

/// Values of every parameter, as [`Graph::parameters`] lists them; those that are not trained mean nothing in an optimiser's.
pub type Values = Vec<Vec<f32>>;

/// A network that is trained on a device.
#[derive(Debug)]
pub struct Trainer {
    // Dropped first: they hold addresses of what follows.
    stages: HashMap<usize, Stage>,
    executor: Executor,
    settings: Settings,
    smoothing: f32,
    program: Program,
    resident: Resident,
    /// The optimiser's buffers, laid out as the parameters are.
    slots: Vec<Buffer<f32>>,
    /// Averaged values.
    slow: Option<Buffer<f32>>,
    /// Parts in which a batch is computed, and where their gradients are summed if there are several.
    parts: usize,
    sums: Option<parts::Sums>,
    /// Updates so far.
    steps: u64,
    update: update::Memory,
    /// Where the memory lies whose addresses they hold.
    made_for: [u64; 2],
}

/// Steps that are begun before their reports are fetched, at most.
pub const MOST_STEPS: usize = 256;

impl Trainer {
    /// For `graph`, with parameters that are zeros until they are set, on a data set: `images` as `augmentation` takes them,
    /// one behind the other, and their `labels`.
    ///
    /// # Errors
    /// Settings for other parameters than the graph's, images without labels; the device's.
    pub fn new(
        device: &Device,
        graph: &Graph,
        options: Options,
        settings: Settings,
        data: Data<'_>,
    ) -> Result<Self, CudaError> {
        let (classes, output) = (graph.classes(), data.augmentation.output());
        let known = data.labels.iter().filter(|label| usize::from(**label) < classes).count();
        expect("labels that are classes", known, data.labels.len())?;
        expect("classes, which a byte has to tell apart,", classes.min(256), classes)?;
        expect("values of an image", output.height * output.width * 3, graph.image().iter().product())?;
        let executor = Executor::new(device, graph, options)?;
        let program = device.compile(&update::program(&settings.rule))?;
        let len = executor.parameters.len();
        let slots = (0..settings.rule.slots()).map(|_| device.zeros(len)).collect::<Result<_, _>>()?;
        let sums = (data.parts > 1).then(|| parts::Sums::new(&executor)).transpose()?;
        let mut narrow_of = update::narrow(&executor);
        if sums.is_some() {
            narrow_of.fill(0); // sums are f32
        }
        Ok(Self {
            resident: Resident::new(device, data)?,
            update: update::Memory::new(&executor, &settings, &narrow_of)?,
            smoothing: data.label_smoothing,
            parts: data.parts,
            sums,
            executor,
            settings,
            program,
            slots,
            slow: None,
            steps: 0,
            stages: HashMap::new(),
            made_for: [0; 2],
        })
    }

    /// The network: its parameters, and evaluation.
    pub fn executor(&mut self) -> &mut Executor {
        &mut self.executor
    }

    /// Groups as they are from now on.
    ///
    /// # Errors
    /// Groups of another number of parameters; the driver's.
    pub fn set_groups(&mut self, group_of: &[Option<usize>]) -> Result<(), CudaError> {
        self.settings.group_of = group_of.to_vec();
        self.update.set_groups(&self.executor, &self.settings)
    }

    /// The images of an epoch, in its order, and what becomes of them.
    ///
    /// # Errors
    /// An image that is not there, words or batches of another number of images, partners that are in no batch, dropouts without a
    /// seed; the driver's.
    pub fn begin_epoch(&mut self, epoch: Epoch<'_>) -> Result<(), CudaError> {
        if self.executor.dropout() == Dropout::InTraining {
            let seeded = epoch.batches.iter().map(|batch| batch.images).sum();
            expect("images whose dropouts have a seed", seeded, epoch.order.len())?;
        }
        if self.resident.begin_epoch(self.executor.device(), epoch, self.executor.dropout())? {
            self.stages.clear();
        }
        Ok(())
    }

    /// Takes steps of `batch` images each, the first of which is number `first` of the epoch's order; [`MOST_STEPS`] at most.
    ///
    /// # Errors
    /// More images than the epoch has, batches other than those that were drawn for; the device's.
    pub fn steps(
        &mut self,
        first: usize,
        batch: usize,
        steps: &[Step],
    ) -> Result<Vec<StepReport>, CudaError> {
        self.resident.expect(first, batch, steps.len())?;
        self.prepare(batch)?;
        self.update.begin(&self.settings.rule, steps, self.steps)?;
        self.resident.position(first)?;
        for step in steps {
            let workspace = self.executor.workspace_pointer();
            if let Some(stage) = self.stages.get_mut(&batch) {
                stage.run(self.executor.device(), workspace)?;
            }
            if let Some(mix) = step.mix {
                self.mix(mix)?;
            }
        }
        self.steps += steps.len() as u64;
        self.update.reports(&self.settings, steps.len(), batch)
    }

    /// Has values and average change places, to judge by the average and back; nothing where there is none.
    ///
    /// # Errors
    /// The driver's.
    pub fn exchange(&mut self) -> Result<(), CudaError> {
        let Some(slow) = &self.slow else { return Ok(()) };
        update::exchange(self.executor.device(), &self.program, &self.executor.parameters, slow)
    }

    /// The averaged values, if there are any.
    ///
    /// # Errors
    /// The driver's.
    pub fn averaged(&self) -> Result<Option<Values>, CudaError> {
        self.slow.as_ref().map(|slow| self.executor.values_of(slow)).transpose()
    }

    /// Sets the average.
    ///
    /// # Errors
    /// Slices of other lengths; the driver's.
    pub fn set_averaged(&mut self, values: &[&[f32]]) -> Result<(), CudaError> {
        let mut slow = self.executor.device().zeros(self.executor.parameters.len())?;
        self.executor.write_values(&mut slow, values)?;
        self.slow = Some(slow);
        Ok(())
    }

    /// Updates so far, and the optimiser's buffers in the order that [`Rule`] documents.
    ///
    /// # Errors
    /// The driver's.
    pub fn state(&self) -> Result<(u64, Vec<Values>), CudaError> {
        let slots = self.slots.iter().map(|slot| self.executor.values_of(slot)).collect::<Result<_, _>>()?;
        Ok((self.steps, slots))
    }

    /// Takes over what [`state`](Self::state) gave.
    ///
    /// # Errors
    /// Slices of other lengths, another number of buffers; the driver's.
    pub fn set_state(&mut self, steps: u64, slots: &[Vec<&[f32]>]) -> Result<(), CudaError> {
        expect("the list of an optimiser's buffers", slots.len(), self.slots.len())?;
        for (slot, values) in self.slots.iter_mut().zip(slots) {
            self.executor.write_values(slot, values)?;
        }
        self.steps = steps;
        Ok(())
    }

    fn mix(&mut self, mix: Mix) -> Result<(), CudaError> {
        let (weight, gives) = match mix {
            Mix::Follow(weight) => (weight, false),
            Mix::Meet(weight) => (weight, true),
        };
        let device = self.executor.device().clone();
        if self.slow.is_none() {
            self.slow = Some(device.zeros(self.executor.parameters.len())?);
        }
        let Some(slow) = &self.slow else { return Ok(()) };
        update::mix(&device, &self.program, &self.executor.parameters, slow, (weight, gives))
    }

    /// Makes the stage of such a batch, if there is none yet.
    fn prepare(&mut self, batch: usize) -> Result<(), CudaError> {
        let mode = Mode::Train { smoothing: self.smoothing.to_bits(), targets: self.resident.targets() };
        let ranges: Vec<Range<usize>> = parts(batch, self.parts).collect();
        let made_for = std::mem::take(&mut self.made_for);
        // The largest first: what was prepared before memory grew is gone.
        let mut sizes: Vec<usize> = ranges.iter().map(Range::len).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.dedup();
        for size in sizes {
            self.executor.prepare(mode, size)?;
        }
        if self.executor.memory() != made_for {
            self.stages.clear();
        }
        self.made_for = self.executor.memory();
        let device = self.executor.device();
        if self.update.room(device, batch)? | self.resident.room(device, batch)? {
            self.stages.clear();
        }
        if self.stages.contains_key(&batch) {
            return Ok(());
        }
        let (executor, program) = (&self.executor, &self.program);
        let mut all: Vec<_> = self.resident.whole(program, batch)?.into_iter().collect();
        for range in &ranges {
            let (places, commands) = executor.without_images(mode, range.len());
            let part = Part { range, places: &places };
            all.extend(self.resident.commands(executor, program, part)?);
            all.extend(commands);
            if let Some(sums) = &self.sums {
                all.push(sums.add(executor, program, range, batch)?);
            }
            if range.end == batch {
                all.extend(self.update.commands(executor, program, (&self.settings, &self.slots))?);
            }
            all.push(self.update.log(executor, program, part, batch)?);
        }
        all.push(self.resident.advance(program, self.update.counter(), batch)?);
        self.stages.insert(batch, Stage::new(Places::default(), all));
        Ok(())
    }
}

/// What a trainer learns from.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// `(N, H, W, 3)`, one behind the other.
    pub images: &'a [u8],
    /// `(N)`
    pub labels: &'a [u8],
    /// What is the same for all images.
    pub augmentation: &'a PackedList,
    /// The share of the target that is spread over all classes.
    pub label_smoothing: f32,
    /// Parts in which a batch is computed, to need less memory, if it has as many times [`LEAST_PART`](wick_graph::LEAST_PART) images; 1 for all at once.
    pub parts: usize,
}

/// Whether a parameter is one that a step changes.
pub(crate) fn is_trained(graph: &Graph, parameter: usize) -> bool {
    graph.parameters()[parameter].role == Role::Trainable
}
