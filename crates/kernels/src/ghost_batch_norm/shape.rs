use crate::error::{ShapeError, expect_positive, volume};
use crate::norm::Lengths;

/// The sizes of a ghost batch normalisation: its tensors are `(batch, positions, channels)`, any channels-last images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GhostBatchNormShape {
    /// Images.
    pub batch: usize,
    /// Positions of an image: height times width.
    pub positions: usize,
    /// Channels.
    pub channels: usize,
    /// Parts of the batch, each normalised by itself: image `i` belongs to number `i mod splits`.
    pub splits: usize,
}

impl GhostBatchNormShape {
    /// Whether such tensors can exist.
    ///
    /// # Errors
    /// No channel or split; more values than fit into memory.
    pub fn checked(&self) -> Result<(), ShapeError> {
        const OP: &str = "ghost_batch_norm";
        let Self { batch, positions, channels, splits } = *self;
        expect_positive(OP, &[("channels", channels), ("splits", splits)])?;
        volume(OP, "statistics", &[splits, channels])?;
        volume(OP, "x", &[batch, positions, channels]).map(drop)
    }

    /// Values of `x`, `y` and their gradients.
    pub fn len(&self) -> usize {
        self.batch * self.positions * self.channels
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values of the statistics, `(splits, channels)`.
    pub fn statistics_len(&self) -> usize {
        self.splits * self.channels
    }

    /// Values of each channel in `split`: 0 where the split has no image.
    pub fn values(&self, split: usize) -> usize {
        self.images(split).len() * self.positions
    }

    /// The images of `split`.
    pub(super) fn images(&self, split: usize) -> std::iter::StepBy<std::ops::Range<usize>> {
        (split..self.batch).step_by(self.splits)
    }

    /// What the slices' lengths follow from.
    pub(super) fn lengths(&self) -> Lengths {
        Lengths { values: self.len(), channels: self.channels, statistics: self.statistics_len() }
    }

    /// Where the statistics of `image` are.
    pub(super) fn statistics_of(&self, image: usize) -> std::ops::Range<usize> {
        let split = image % self.splits;
        split * self.channels..(split + 1) * self.channels
    }

    /// Values of one image.
    pub(super) fn image(&self) -> usize {
        self.positions * self.channels
    }
}
