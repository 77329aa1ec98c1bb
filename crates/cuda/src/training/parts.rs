//! The sum of the gradients of a batch's parts.

use std::ops::Range;

use super::update::narrow;
use crate::device::{Launch, Program};
use crate::executor::{Command, Executor};
use crate::{Buffer, CudaError};

/// Where gradients of parts are summed, in f32.
#[derive(Debug)]
pub(super) struct Sums {
    /// 1 where a part's gradients are in bf16.
    narrow_of: Buffer<u8>,
    sums: Buffer<f32>,
}

impl Sums {
    pub fn new(executor: &Executor) -> Result<Self, CudaError> {
        let device = executor.device();
        Ok(Self {
            narrow_of: device.upload(&narrow(executor))?,
            sums: device.zeros(executor.parameters.len())?,
        })
    }

    /// Adds the gradients of a part, which count by its images. Behind the last one, all are where f32 gradients are.
    pub fn add(
        &self,
        executor: &Executor,
        program: &Program,
        part: &Range<usize>,
        batch: usize,
    ) -> Result<Command, CudaError> {
        let parameters = &executor.parameters;
        let count = parameters.len();
        let share = part.len() as f64 / batch as f64;
        let launch = Launch::over(count / 4)
            .with(parameters.gradients().pointer(0))
            .with(parameters.rounded_gradients())
            .with(self.narrow_of.pointer(0))
            .with(share as f32)
            .with(usize::from(part.start == 0))
            .with(usize::from(part.end == batch))
            .with(self.sums.pointer(0))
            .with(count);
        Ok(Command::Kernel(program.kernel("add_part")?, launch))
    }
}
