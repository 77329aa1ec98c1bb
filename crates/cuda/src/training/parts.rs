//! A batch in parts, which need less memory than the whole, and the sum of their gradients.

use std::ops::Range;

use super::update::narrow;
use crate::device::{Launch, Program};
use crate::executor::{Command, Executor};
use crate::{Buffer, CudaError};

/// The fewest images that batch norm has statistics of, and that a part has.
pub const LEAST_PART: usize = 2;

/// `wanted` parts of a batch of `images` images, which differ by one image at most; fewer of a small batch, whose parts would have
/// less than [`LEAST_PART`] images.
pub fn parts(images: usize, wanted: usize) -> impl Iterator<Item = Range<usize>> {
    let count = wanted.min(images / LEAST_PART).max(1);
    (0..count).map(move |part| part * images / count..(part + 1) * images / count)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_even_and_never_single_images() {
        let ends =
            |images, wanted| parts(images, wanted).map(|part| (part.start, part.end)).collect::<Vec<_>>();
        assert_eq!(ends(8, 1), [(0, 8)]);
        assert_eq!(ends(8, 3), [(0, 2), (2, 5), (5, 8)]);
        assert_eq!(ends(5, 4), [(0, 2), (2, 5)]);
        assert_eq!(ends(3, 2), [(0, 3)]);
        assert_eq!(ends(1, 2), [(0, 1)]);
        for (images, wanted) in [(512, 7), (2, 1), (1000, 500), (17, 8)] {
            let parts: Vec<_> = parts(images, wanted).collect();
            let sizes = || parts.iter().map(Range::len);
            assert_eq!((parts.len(), sizes().sum::<usize>()), (wanted, images));
            assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1, "{parts:?}");
        }
    }
}
