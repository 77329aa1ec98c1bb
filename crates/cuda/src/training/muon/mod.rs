//! Muon: filters follow their orthogonalised momentum, in kernels of a step's recorded graph.
//!
//! All filters are taken at once: a step has `3 + 4·steps` launches whatever their number. Products are sums of f32 in an order that
//! does not change; a Gram matrix is summed in parts, so that the device has enough to do, and only on and above its diagonal.

mod matrices;
mod options;

use super::rule::Settings;
use super::{MOST_STEPS, Step};
use crate::device::{Launch, Pointer, Program};
use crate::executor::{Command, Executor, Parameters};
use crate::{Buffer, CudaError};
use matrices::{Filter, Matrices};

pub use options::{Elsewhere, Filters, Muon};

pub(super) const KERNELS: &str = include_str!("../../kernels/muon.cu");

/// Of the odd polynomial `ax + bx³ + cx⁵` (Jordan et al. 2024), as the CPU's Muon has it.
const COEFFICIENTS: [f32; 3] = [3.4445, -4.775, 2.0315];

/// What Muon needs besides what every update does.
#[derive(Debug)]
pub(super) struct Memory {
    muon: Muon,
    filters: Vec<Filter>,
    matrices: Buffer<i32>,
    tiles: List,
    parts: List,
    pairs: List,
    squares: List,
    /// As all updates have it, but for filters: none.
    group_elsewhere: Buffer<u8>,
    /// Two numbers a step.
    rates: Buffer<f32>,
    /// The matrices, and what a Newton–Schulz step makes of them.
    x: [Buffer<f32>; 2],
    gram_parts: Buffer<f32>,
    gram: Buffer<f32>,
    factor: Buffer<f32>,
    /// Two a tile.
    sums: Buffer<f64>,
    /// Two a matrix.
    scales: Buffer<f32>,
}

/// Tiles, one for each block.
#[derive(Debug)]
struct List(Buffer<i32>);

impl List {
    fn blocks(&self) -> usize {
        self.0.len() / 4
    }
}

/// What other memory of updates the kernels use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared {
    pub group_of: Pointer,
    pub groups: Pointer,
    pub narrow_of: Pointer,
    /// The step's number.
    pub counter: Pointer,
    pub totals: Pointer,
    /// The momentum's.
    pub buffer: Pointer,
}

impl Memory {
    pub fn new(executor: &Executor, muon: Muon) -> Result<Self, CudaError> {
        let device = executor.device();
        let all = Matrices::new(matrices::filters(executor.graph(), &executor.parameters))?;
        let list = |tiles: &[i32]| device.upload(tiles).map(List);
        Ok(Self {
            muon,
            matrices: device.upload(&all.words)?,
            tiles: list(&all.tiles)?,
            parts: list(&all.parts)?,
            pairs: list(&all.pairs)?,
            squares: list(&all.squares)?,
            group_elsewhere: device.zeros(executor.parameters.len() / Parameters::ALIGNMENT)?,
            rates: device.zeros(2 * MOST_STEPS)?,
            x: [device.zeros(all.values)?, device.zeros(all.values)?],
            gram_parts: device.zeros(all.part_values)?,
            gram: device.zeros(all.gram_values)?,
            factor: device.zeros(all.gram_values)?,
            sums: device.zeros(all.tiles.len() / 2)?,
            scales: device.zeros(2 * all.filters.len())?,
            filters: all.filters,
        })
    }

    /// Takes over the groups of all parameters, of which `none` are not updated.
    pub fn set_groups(&mut self, group_of: &[u8], none: u8) -> Result<(), CudaError> {
        let mut of = group_of.to_vec();
        for filter in &self.filters {
            let begin = filter.begin / Parameters::ALIGNMENT;
            let len = (filter.rows * filter.columns).div_ceil(Parameters::ALIGNMENT);
            of[begin..begin + len].fill(none);
        }
        self.group_elsewhere.write(0, &of)
    }

    /// The groups of what SGD takes.
    pub fn group_elsewhere(&self) -> Pointer {
        self.group_elsewhere.pointer(0)
    }

    /// Makes ready for these steps.
    pub fn begin(&mut self, steps: &[Step]) -> Result<(), CudaError> {
        let numbers: Vec<f32> = steps.iter().flat_map(|step| self.muon.numbers(step.rates)).collect();
        self.rates.write(0, &numbers)
    }

    /// The update of all filters.
    pub fn commands(
        &self,
        executor: &Executor,
        program: &Program,
        settings: &Settings,
        shared: Shared,
    ) -> Result<Vec<Command>, CudaError> {
        let mut commands = Vec::new();
        if self.filters.is_empty() {
            return Ok(commands);
        }
        let mut push = |name: &str, launch: Launch| {
            commands.push(Command::Kernel(program.kernel(name)?, launch));
            Ok::<(), CudaError>(())
        };
        push("muon_direction", self.direction(executor, settings, shared))?;
        let norms = Launch::new([self.filters.len(), 1, 1], [256, 1])
            .with(self.matrices.pointer(0))
            .with(shared.group_of)
            .with(self.sums.pointer(0))
            .with(self.scales.pointer(0));
        push("muon_norms", norms)?;
        let [a, b, c] = COEFFICIENTS;
        let (mut x, mut bent) = (&self.x[0], &self.x[1]);
        for step in 0..self.muon.steps {
            let first = usize::from(step == 0);
            let gram = self
                .over(&self.parts, 128, shared)
                .with(self.scales.pointer(0))
                .with(first)
                .with(x.pointer(0))
                .with(self.gram_parts.pointer(0));
            push("muon_gram", gram)?;
            let gather = self.over(&self.pairs, 256, shared);
            push("muon_gather", gather.with(self.gram_parts.pointer(0)).with(self.gram.pointer(0)))?;
            let factor = self
                .over(&self.squares, 128, shared)
                .with(b)
                .with(c)
                .with(self.gram.pointer(0))
                .with(self.factor.pointer(0));
            push("muon_factor", factor)?;
            let bend = self
                .over(&self.tiles, 128, shared)
                .with(self.scales.pointer(0))
                .with(first)
                .with(a)
                .with(self.factor.pointer(0))
                .with(x.pointer(0))
                .with(bent.pointer(0));
            push("muon_bend", bend)?;
            (x, bent) = (bent, x);
        }
        let step = self
            .over(&self.tiles, 256, shared)
            .with(shared.groups)
            .with(self.rates.pointer(0))
            .with(shared.counter)
            .with(self.scales.pointer(0))
            .with(usize::from(self.muon.filters == Filters::Rescaled))
            .with(settings.weight_decay as f32)
            .with(x.pointer(0))
            .with(executor.parameters.values().pointer(0))
            .with(executor.parameters.rounded());
        push("muon_step", step)?;
        Ok(commands)
    }

    fn direction(&self, executor: &Executor, settings: &Settings, shared: Shared) -> Launch {
        let parameters = &executor.parameters;
        let (limit, most) = settings.clip.numbers();
        self.over(&self.tiles, 256, shared)
            .with(self.muon.momentum.number())
            .with(parameters.values().pointer(0))
            .with(parameters.gradients().pointer(0))
            .with(parameters.rounded_gradients())
            .with(shared.narrow_of)
            .with(shared.buffer)
            .with(self.rates.pointer(0))
            .with(shared.counter)
            .with(shared.totals)
            .with(settings.l1 as f32)
            .with(limit)
            .with(most)
            .with(self.x[0].pointer(0))
            .with(self.sums.pointer(0))
    }

    /// A block of so many threads for each tile of a list, with what all these kernels are given first.
    fn over(&self, list: &List, threads: usize, shared: Shared) -> Launch {
        Launch::new([list.blocks(), 1, 1], [threads, 1])
            .with(self.matrices.pointer(0))
            .with(list.0.pointer(0))
            .with(shared.group_of)
    }
}
