//! The data set on the device, and the kernels that make batches of it.

use std::ops::Range;

use wick_augment::Size;

use super::draws::{Epoch, Packed};
use crate::device::{Launch, Pointer, Program};
use crate::executor::{Command, Dropout, Executor, Places, Targets, expect};
use crate::training::Data;
use crate::{Buffer, CudaError, Device, Numbers};

/// Images, labels, and what the epoch does with them.
#[derive(Debug)]
pub(super) struct Resident {
    images: Buffer<u8>,
    labels: Buffer<u8>,
    count: usize,
    order: Buffer<i32>,
    words: Buffer<i16>,
    stride: usize,
    output: Size,
    integers: Buffer<i32>,
    values: Buffer<f32>,
    /// What batches draw: as the host has it, and here.
    drawn: Packed,
    seeds: Buffer<u64>,
    mixing: Buffer<i32>,
    /// A batch in f32 whose images are to be mixed.
    whole: Buffer<f32>,
    /// The place in the order of the next batch's first image.
    position: Buffer<u32>,
}

/// A part of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub range: &'a Range<usize>,
    /// Of the executor's batch of the part's size.
    pub places: &'a Places,
}

impl Resident {
    pub fn new(device: &Device, data: Data<'_>) -> Result<Self, CudaError> {
        let list = data.augmentation;
        let input = list.input();
        let count = data.labels.len();
        expect("images", data.images.len(), count * input.height * input.width * 3)?;
        Ok(Self {
            images: device.upload(data.images)?,
            labels: device.upload(data.labels)?,
            count,
            order: device.zeros(0)?,
            words: device.zeros(0)?,
            stride: list.stride(),
            output: list.output(),
            integers: device.upload(list.integers())?,
            values: device.upload(list.values())?,
            drawn: Packed::default(),
            seeds: device.zeros(0)?,
            mixing: device.zeros(0)?,
            whole: device.zeros(0)?,
            position: device.zeros(1)?,
        })
    }

    /// Whether anything lies elsewhere now.
    pub fn begin_epoch(
        &mut self,
        device: &Device,
        epoch: Epoch<'_>,
        dropout: Dropout,
    ) -> Result<bool, CudaError> {
        let Epoch { order, words, batches } = epoch;
        expect("words", words.len(), order.len() * self.stride)?;
        let is_there = |i: &&i32| usize::try_from(**i).is_ok_and(|i| i < self.count);
        expect("images that are there", order.iter().filter(is_there).count(), order.len())?;
        let drawn = Packed::new(batches, (order.len(), self.output), dropout)?;
        let new = [order.len(), drawn.seeds.len(), drawn.mixing.len()];
        let moved = new != [self.order.len(), self.seeds.len(), self.mixing.len()];
        if moved {
            device.wait()?;
            (self.order, self.words) = (device.zeros(order.len())?, device.zeros(words.len())?);
            (self.seeds, self.mixing) = (device.zeros(new[1])?, device.zeros(new[2])?);
        }
        self.order.write(0, order)?;
        self.words.write(0, words)?;
        self.seeds.write(0, &drawn.seeds)?;
        self.mixing.write(0, &drawn.mixing)?;
        self.drawn = drawn;
        Ok(moved)
    }

    /// Whether the epoch has these steps' images, and they are batches as they were drawn.
    pub fn expect(&self, first: usize, batch: usize, steps: usize) -> Result<(), CudaError> {
        let images = first + batch * steps;
        expect("images of the epoch", images.max(self.order.len()), self.order.len())?;
        self.drawn.expect(first, batch, steps)
    }

    /// What targets are made of.
    pub fn targets(&self) -> Targets {
        if self.drawn.mixing.is_empty() { Targets::Own } else { Targets::Mixed }
    }

    pub fn position(&mut self, first: usize) -> Result<(), CudaError> {
        self.position.write(0, &[first as u32])
    }

    /// Room for a batch of that size, if it is to be mixed; whether anything lies elsewhere now.
    pub fn room(&mut self, device: &Device, batch: usize) -> Result<bool, CudaError> {
        let wanted = batch * self.output.values();
        if self.targets() == Targets::Own || self.whole.len() >= wanted {
            return Ok(false);
        }
        device.wait()?;
        self.whole = device.zeros(0)?;
        self.whole = device.zeros(wanted)?;
        Ok(true)
    }

    /// What is done once for a batch, before its parts: where images are mixed, all are made first.
    pub fn whole(&self, program: &Program, batch: usize) -> Result<Option<Command>, CudaError> {
        match self.targets() {
            Targets::Own => Ok(None),
            Targets::Mixed => {
                Ok(Some(self.augment(program, &(0..batch), (self.whole.pointer(0), Numbers::F32))?))
            }
        }
    }

    /// A part of the next batch, to where a step's first pass would have written it, its labels and what else is drawn for it.
    pub fn commands(
        &self,
        executor: &Executor,
        program: &Program,
        part: Part<'_>,
    ) -> Result<Vec<Command>, CudaError> {
        let Part { range, places } = part;
        let to = executor.images_pointer(places, range.len());
        let labels = Launch::over(range.len())
            .with(self.labels.pointer(0))
            .with(self.order.pointer(range.start))
            .with(self.position.pointer(0))
            .with(range.len())
            .with(executor.pointer(places.labels));
        let mut commands = vec![Command::Kernel(program.kernel("gather_labels")?, labels)];
        match self.targets() {
            Targets::Own => commands.push(self.augment(program, range, (to, executor.numbers()))?),
            Targets::Mixed => commands.extend(self.mix(executor, program, part)?),
        }
        if executor.dropout() == Dropout::InTraining {
            let seed = Launch::new([1; 3], [1, 1])
                .with(self.seeds.pointer(0))
                .with(self.position.pointer(0))
                .with(range.start)
                .with(executor.pointer(places.seed));
            commands.push(Command::Kernel(program.kernel("take_seed")?, seed));
        }
        Ok(commands)
    }

    /// Makes images of the next batch, in f32 or bf16.
    fn augment(
        &self,
        program: &Program,
        range: &Range<usize>,
        (to, numbers): (Pointer, Numbers),
    ) -> Result<Command, CudaError> {
        let launch = Launch::over(range.len() * self.output.height * self.output.width)
            .with(self.images.pointer(0))
            .with(self.order.pointer(range.start))
            .with(self.words.pointer(range.start * self.stride))
            .with(self.integers.pointer(0))
            .with(self.values.pointer(0))
            .with(to)
            .with(usize::from(numbers == Numbers::Bf16))
            .with(3usize)
            .with(self.position.pointer(0))
            .with(range.len());
        Ok(Command::Kernel(program.kernel("augment")?, launch))
    }

    /// Mixes a part's images, and says with which labels.
    fn mix(
        &self,
        executor: &Executor,
        program: &Program,
        Part { range, places }: Part<'_>,
    ) -> Result<[Command; 2], CudaError> {
        let Size { height, width } = self.output;
        let images = Launch::over(range.len() * height * width)
            .with(self.whole.pointer(0))
            .with(self.mixing.pointer(0))
            .with(self.position.pointer(0))
            .with(range.start)
            .with(range.len())
            .with(height)
            .with(width)
            .with(usize::from(executor.numbers() == Numbers::Bf16))
            .with(executor.images_pointer(places, range.len()));
        let labels = Launch::over(range.len())
            .with(self.labels.pointer(0))
            .with(self.order.pointer(0))
            .with(self.mixing.pointer(0))
            .with(self.position.pointer(0))
            .with(range.start)
            .with(range.len())
            .with(executor.pointer(places.others))
            .with(executor.pointer(places.weight));
        Ok([
            Command::Kernel(program.kernel("mix_images")?, images),
            Command::Kernel(program.kernel("gather_partners")?, labels),
        ])
    }

    /// On to the next batch, and the next step.
    pub fn advance(&self, program: &Program, counter: u64, batch: usize) -> Result<Command, CudaError> {
        let launch = Launch::new([1; 3], [1, 1]).with(counter).with(self.position.pointer(0)).with(batch);
        Ok(Command::Kernel(program.kernel("advance")?, launch))
    }
}
