//! The kernels that update parameters, and what they tell of it.

use super::data::Part;
use super::muon::{self, Shared};
use super::rule::{Rule, Settings};
use super::{MOST_STEPS, Step, StepReport, is_trained};
use crate::device::{Launch, Pointer, Program};
use crate::executor::{Command, Executor, Parameters, expect};
use crate::{Buffer, CudaError, Device};

const TRAINING: &str = include_str!("../kernels/training.cu");
const MIXING: &str = include_str!("../kernels/mixing.cu");
const PARTS: &str = include_str!("../kernels/parts.cu");

/// Blocks that sum over all gradients.
const BLOCKS: usize = 512;

/// The text of all kernels of training by that rule.
pub(crate) fn program(rule: &Rule) -> String {
    let of_rule = if let Rule::Muon(_) = rule { muon::KERNELS } else { "" };
    [crate::executor::NUMBERS, TRAINING, MIXING, PARTS, of_rule, wick_augment::packed::KERNEL].concat()
}

/// What updates need besides parameters and gradients, and what they leave.
#[derive(Debug)]
pub(super) struct Memory {
    group_of: Buffer<u8>,
    /// 1 where gradients are in bf16.
    narrow_of: Buffer<u8>,
    groups: Buffer<f32>,
    /// Four numbers a step.
    rates: Buffer<f32>,
    /// The step's number among those that were begun together.
    counter: Buffer<u32>,
    sums: Buffer<f64>,
    totals: Buffer<f64>,
    /// Three numbers a step.
    log: Buffer<f64>,
    predicted: Buffer<u8>,
    muon: Option<muon::Memory>,
}

/// Group of what is not updated.
const NONE: u8 = 255;

impl Memory {
    /// For gradients that are in bf16 where `narrow_of` is 1.
    pub fn new(executor: &Executor, settings: &Settings, narrow_of: &[u8]) -> Result<Self, CudaError> {
        let device = executor.device();
        let groups: Vec<f32> =
            settings.groups.iter().flat_map(|g| [g.learning_rate as f32, g.weight_decay as f32]).collect();
        let mut memory = Self {
            group_of: device.zeros(executor.parameters.len() / Parameters::ALIGNMENT)?,
            narrow_of: device.upload(narrow_of)?,
            groups: device.upload(&groups)?,
            rates: device.zeros(4 * MOST_STEPS)?,
            counter: device.zeros(1)?,
            sums: device.zeros(2 * BLOCKS)?,
            totals: device.zeros(2)?,
            log: device.zeros(3 * MOST_STEPS)?,
            predicted: device.zeros(0)?,
            muon: match settings.rule {
                Rule::Muon(muon) => Some(muon::Memory::new(executor, muon)?),
                _ => None,
            },
        };
        memory.set_groups(executor, settings)?;
        Ok(memory)
    }

    pub fn set_groups(&mut self, executor: &Executor, settings: &Settings) -> Result<(), CudaError> {
        let graph = executor.graph();
        expect("the list of groups", settings.group_of.len(), graph.parameters().len())?;
        expect("groups", settings.groups.len().min(usize::from(NONE)), settings.groups.len())?;
        let mut of = vec![NONE; self.group_of.len()];
        for (parameter, group) in settings.group_of.iter().enumerate() {
            let Some(group) = group.filter(|_| is_trained(graph, parameter)) else { continue };
            expect("groups", settings.groups.len().max(group + 1), settings.groups.len())?;
            let begin = executor.parameters.offset(parameter) / Parameters::ALIGNMENT;
            let len = graph.parameters()[parameter].len().div_ceil(Parameters::ALIGNMENT);
            of[begin..begin + len].fill(group as u8);
        }
        if let Some(muon) = &mut self.muon {
            muon.set_groups(&of, NONE)?;
        }
        self.group_of.write(0, &of)
    }

    pub fn counter(&self) -> Pointer {
        self.counter.pointer(0)
    }

    /// Room for what batches of that size leave; whether anything lies elsewhere now.
    pub fn room(&mut self, device: &Device, batch: usize) -> Result<bool, CudaError> {
        if self.predicted.len() >= batch * MOST_STEPS {
            return Ok(false);
        }
        device.wait()?;
        self.predicted = device.zeros(batch * MOST_STEPS)?;
        Ok(true)
    }

    /// Makes ready for these steps, after `done` updates.
    pub fn begin(&mut self, rule: &Rule, steps: &[Step], done: u64) -> Result<(), CudaError> {
        expect("steps at a time", steps.len().min(MOST_STEPS), steps.len())?;
        let numbers = (done..).zip(steps).flat_map(|(done, step)| rule.numbers(step.rates, done));
        self.rates.write(0, &numbers.collect::<Vec<f32>>())?;
        if let Some(muon) = &mut self.muon {
            muon.begin(steps)?;
        }
        self.counter.write(0, &[0])
    }

    /// The update of one step.
    pub fn commands(
        &self,
        executor: &Executor,
        program: &Program,
        (settings, slots): (&Settings, &[Buffer<f32>]),
    ) -> Result<Vec<Command>, CudaError> {
        let parameters = &executor.parameters;
        let count = parameters.len();
        let (values, gradients) = (parameters.values().pointer(0), parameters.gradients().pointer(0));
        let mut commands = Vec::new();
        let mut push = |name: &str, launch: Launch| {
            commands.push(Command::Kernel(program.kernel(name)?, launch));
            Ok::<(), CudaError>(())
        };
        if settings.needs_sums() {
            let sums = Launch::new([BLOCKS, 1, 1], [256, 1])
                .with(values)
                .with(gradients)
                .with(parameters.rounded_gradients())
                .with(self.narrow_of.pointer(0))
                .with(self.group_of.pointer(0))
                .with(settings.l1 as f32)
                .with(count)
                .with(self.sums.pointer(0));
            push("gradient_sums", sums)?;
            let totals = Launch::new([1; 3], [256, 1])
                .with(self.sums.pointer(0))
                .with(BLOCKS)
                .with(self.totals.pointer(0));
            push("gradient_totals", totals)?;
        }
        let (limit, most) = settings.clip.numbers();
        let (keep, epsilon) = settings.rule.constants();
        let slot = |k: usize| slots.get(k).map_or(0, |slot| slot.pointer(0));
        let update = Launch::over(count / 4)
            .with(settings.rule.number())
            .with(values)
            .with(gradients)
            .with(parameters.rounded_gradients())
            .with(self.narrow_of.pointer(0))
            .with(slot(0))
            .with(slot(1))
            .with(parameters.rounded())
            .with(self.muon.as_ref().map_or(self.group_of.pointer(0), muon::Memory::group_elsewhere))
            .with(self.groups.pointer(0))
            .with(self.rates.pointer(0))
            .with(self.counter.pointer(0))
            .with(self.totals.pointer(0))
            .with(settings.l1 as f32)
            .with(limit)
            .with(most)
            .with(settings.weight_decay as f32)
            .with(keep as f32)
            .with((1.0 - keep) as f32)
            .with(epsilon as f32)
            .with(count);
        push("update", update)?;
        if let Some(muon) = &self.muon {
            let shared = Shared {
                group_of: self.group_of.pointer(0),
                groups: self.groups.pointer(0),
                narrow_of: self.narrow_of.pointer(0),
                counter: self.counter.pointer(0),
                totals: self.totals.pointer(0),
                buffer: slot(0),
            };
            commands.extend(muon.commands(executor, program, settings, shared)?);
        }
        Ok(commands)
    }

    /// What is told of a part of a batch, with the last one also of the step.
    pub fn log(
        &self,
        executor: &Executor,
        program: &Program,
        Part { range, places }: Part<'_>,
        batch: usize,
    ) -> Result<Command, CudaError> {
        let launch = Launch::over(range.len().max(3))
            .with(self.counter.pointer(0))
            .with(executor.pointer(places.loss))
            .with(self.totals.pointer(0))
            .with(executor.pointer(places.predicted))
            .with(range.start)
            .with(range.len())
            .with(batch)
            .with(self.log.pointer(0))
            .with(self.predicted.pointer(0));
        Ok(Command::Kernel(program.kernel("log_step")?, launch))
    }

    /// What so many steps left.
    pub fn reports(
        &self,
        settings: &Settings,
        steps: usize,
        batch: usize,
    ) -> Result<Vec<StepReport>, CudaError> {
        let (mut log, mut predicted) = (vec![0.0; 3 * steps], vec![0; batch * steps]);
        self.log.read(0, &mut log)?;
        self.predicted.read(0, &mut predicted)?;
        let report = |(numbers, predicted): (&[f64], &[u8])| StepReport {
            loss: numbers[0],
            penalty: settings.l1 * numbers[2],
            gradient_norm: settings.needs_sums().then(|| numbers[1].sqrt()),
            predicted: predicted.to_vec(),
        };
        Ok(log.chunks_exact(3).zip(predicted.chunks_exact(batch.max(1))).map(report).collect())
    }
}

/// Where a step leaves gradients in bf16: those of convolutions' weights, if any.
pub(super) fn narrow(executor: &Executor) -> Vec<u8> {
    let mut of = vec![0; executor.parameters.len() / Parameters::ALIGNMENT];
    if executor.parameters.rounded_gradients() != 0 {
        for conv in executor.graph().convs() {
            let begin = executor.parameters.offset(conv.weight) / Parameters::ALIGNMENT;
            let len = conv.shape.weight_len().div_ceil(Parameters::ALIGNMENT);
            of[begin..begin + len].fill(1);
        }
    }
    of
}

/// Mixes averaged values and values.
pub(super) fn mix(
    device: &Device,
    program: &Program,
    parameters: &Parameters,
    slow: &Buffer<f32>,
    (weight, gives): (f32, bool),
) -> Result<(), CudaError> {
    let launch = over_both(parameters, slow).with(weight).with(usize::from(gives)).with(parameters.len());
    device.launch(&program.kernel("mix")?, &launch)
}

/// Has averaged values and values change places.
pub(super) fn exchange(
    device: &Device,
    program: &Program,
    parameters: &Parameters,
    slow: &Buffer<f32>,
) -> Result<(), CudaError> {
    let launch = over_both(parameters, slow).with(parameters.len());
    device.launch(&program.kernel("exchange")?, &launch)
}

/// A thread for each four values, which are changed together with averaged ones.
fn over_both(parameters: &Parameters, slow: &Buffer<f32>) -> Launch {
    Launch::over(parameters.len() / 4)
        .with(parameters.values().pointer(0))
        .with(slow.pointer(0))
        .with(parameters.rounded())
}
