use std::ops::Range;

use rayon::prelude::*;

use super::transforms::transform_weights;
use super::{PRODUCTS, padded};

/// Output channels whose transformed weights lie together.
pub(super) const GROUP: usize = 64;

/// Which way the weight is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// As it is, `(3, 3, in, out)`.
    None,
    /// Turned by 180° with its channels exchanged, for the input gradient: it is `(3, 3, out, in)`.
    Half,
}

/// Values of one group's transformed weights.
pub(super) fn group_len(in_channels: usize, group: usize) -> usize {
    PRODUCTS * padded(in_channels * group)
}

/// Values of all groups' transformed weights.
pub(super) fn transformed_len(in_channels: usize, out_channels: usize) -> usize {
    groups(out_channels).map(|group| group_len(in_channels, group.len())).sum()
}

/// The groups of output channels.
pub(super) fn groups(out_channels: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let starts = (0..out_channels.div_ceil(GROUP)).map(|i| i * GROUP);
    starts.map(move |start| start..(start + GROUP).min(out_channels))
}

/// A weight and how it is used.
#[derive(Clone, Copy)]
pub(super) struct Weight<'a> {
    pub(super) values: &'a [f32],
    pub(super) turn: Turn,
    pub(super) in_channels: usize,
    pub(super) out_channels: usize,
}

impl Weight<'_> {
    /// `G g Gᵀ` of all groups, one after another.
    pub(super) fn transform(self, out: &mut [f32]) {
        let chunks = out.par_chunks_mut(group_len(self.in_channels, GROUP));
        chunks.enumerate().for_each(|(i, out)| {
            let group = i * GROUP..((i + 1) * GROUP).min(self.out_channels);
            transform_weights(&self, group, out);
        });
    }
}
