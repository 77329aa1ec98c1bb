use crate::error::{ShapeError, expect_positive, volume};
use crate::norm::Lengths;

/// The sizes of a group normalisation: its tensors are `(batch, positions, channels)`, any channels-last images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupNormShape {
    /// Images.
    pub batch: usize,
    /// Positions of an image: height times width.
    pub positions: usize,
    /// Channels.
    pub channels: usize,
    /// Groups of neighbouring channels, all of one size.
    pub groups: usize,
}

impl GroupNormShape {
    /// Of the layer normalisation of `batch` images with a scale and a bias for each of an image's `values` (PyTorch's
    /// `LayerNorm((C, H, W))`): its tensors are `(batch, values)`, its weight and bias `(values)`.
    pub fn layer(batch: usize, values: usize) -> Self {
        Self { batch, positions: 1, channels: values, groups: 1 }
    }

    /// Whether such tensors can exist.
    ///
    /// # Errors
    /// No channel or group; channels that the groups do not divide; more values than fit into memory.
    pub fn checked(&self) -> Result<(), ShapeError> {
        const OP: &str = "group_norm";
        let Self { batch, positions, channels, groups } = *self;
        expect_positive(OP, &[("channels", channels), ("groups", groups)])?;
        if !channels.is_multiple_of(groups) {
            return Err(ShapeError::NotAMultiple { op: OP, name: "channels", of: groups, got: channels });
        }
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

    /// Values of the statistics, `(batch, groups)`.
    pub fn statistics_len(&self) -> usize {
        self.batch * self.groups
    }

    /// What the slices' lengths follow from.
    pub(super) fn lengths(&self) -> Lengths {
        Lengths { values: self.len(), channels: self.channels, statistics: self.statistics_len() }
    }

    /// Channels of one group.
    pub(super) fn group(&self) -> usize {
        self.channels / self.groups
    }

    /// Values of one image; at least 1, so that one may cut by it.
    pub(super) fn image(&self) -> usize {
        (self.positions * self.channels).max(1)
    }

    /// Values of one group of one image; at least 1, so that one may divide by it.
    pub(super) fn group_values(&self) -> f64 {
        (self.positions * self.group()).max(1) as f64
    }
}
