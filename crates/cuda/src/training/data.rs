//! The data set on the device, and the kernels that make batches of it.

use crate::device::{Launch, Program};
use crate::executor::{Command, Executor, Places, expect};
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
    output: usize,
    integers: Buffer<i32>,
    values: Buffer<f32>,
    /// The place in the order of the next batch's first image.
    position: Buffer<u32>,
}

impl Resident {
    pub fn new(device: &Device, data: Data<'_>) -> Result<Self, CudaError> {
        let list = data.augmentation;
        let (input, output) = (list.input(), list.output());
        let count = data.labels.len();
        expect("images", data.images.len(), count * input.height * input.width * 3)?;
        Ok(Self {
            images: device.upload(data.images)?,
            labels: device.upload(data.labels)?,
            count,
            order: device.zeros(0)?,
            words: device.zeros(0)?,
            stride: list.stride(),
            output: output.height * output.width,
            integers: device.upload(list.integers())?,
            values: device.upload(list.values())?,
            position: device.zeros(1)?,
        })
    }

    /// Whether anything lies elsewhere now.
    pub fn begin_epoch(&mut self, device: &Device, order: &[i32], words: &[i16]) -> Result<bool, CudaError> {
        expect("words", words.len(), order.len() * self.stride)?;
        let is_there = |i: &&i32| usize::try_from(**i).is_ok_and(|i| i < self.count);
        expect("images that are there", order.iter().filter(is_there).count(), order.len())?;
        let moved = order.len() != self.order.len();
        if moved {
            device.wait()?;
            (self.order, self.words) = (device.zeros(order.len())?, device.zeros(words.len())?);
        }
        self.order.write(0, order)?;
        self.words.write(0, words)?;
        Ok(moved)
    }

    /// Whether the epoch has so many images.
    pub fn expect(&self, images: usize) -> Result<(), CudaError> {
        expect("images of the epoch", images.max(self.order.len()), self.order.len())
    }

    pub fn position(&mut self, first: usize) -> Result<(), CudaError> {
        self.position.write(0, &[first as u32])
    }

    /// The next batch, to where a step's first pass would have written it, and its labels.
    pub fn commands(
        &self,
        executor: &Executor,
        program: &Program,
        places: &Places,
        batch: usize,
    ) -> Result<Vec<Command>, CudaError> {
        let bf16 = usize::from(executor.numbers() == Numbers::Bf16);
        let augment = Launch::over(batch * self.output)
            .with(self.images.pointer(0))
            .with(self.order.pointer(0))
            .with(self.words.pointer(0))
            .with(self.integers.pointer(0))
            .with(self.values.pointer(0))
            .with(executor.images_pointer(places, batch))
            .with(bf16)
            .with(3usize)
            .with(self.position.pointer(0))
            .with(batch);
        let labels = Launch::over(batch)
            .with(self.labels.pointer(0))
            .with(self.order.pointer(0))
            .with(self.position.pointer(0))
            .with(batch)
            .with(executor.pointer(places.labels));
        Ok(vec![
            Command::Kernel(program.kernel("augment")?, augment),
            Command::Kernel(program.kernel("gather_labels")?, labels),
        ])
    }

    /// On to the next batch, and the next step.
    pub fn advance(&self, program: &Program, counter: u64, batch: usize) -> Result<Command, CudaError> {
        let launch = Launch::new([1; 3], [1, 1]).with(counter).with(self.position.pointer(0)).with(batch);
        Ok(Command::Kernel(program.kernel("advance")?, launch))
    }
}
