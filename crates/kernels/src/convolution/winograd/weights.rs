use std::ops::Range;

use rayon::prelude::*;

use super::transforms::{transform_weight, transform_weight_gradient};
use super::{LANES, Lanes, PRODUCTS, padded};

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
            self.transform_group(group, out);
        });
    }

    /// `G g Gᵀ` of one group of output channels, to `[36][in][group]`.
    pub(super) fn transform_group(self, group: Range<usize>, out: &mut [f32]) {
        let stride = padded(self.in_channels * group.len());
        for first in group.clone().step_by(LANES) {
            for c0 in (0..self.in_channels).step_by(LANES) {
                let windows = match self.turn {
                    Turn::None => self.block(c0, first),
                    Turn::Half => self.turned_block(c0, first),
                };
                for (c, taps) in windows.iter().enumerate() {
                    let at = (c0 + c) * group.len() + first - group.start;
                    transform_weight(taps, stride, at, out);
                }
            }
        }
    }

    /// The windows of `LANES` input channels from `c0` and of `LANES` output channels from `k0`.
    fn block(&self, c0: usize, k0: usize) -> [[Lanes; 9]; LANES] {
        let mut windows = [[[0.0; LANES]; 9]; LANES];
        for (c, window) in windows.iter_mut().enumerate() {
            for (tap, lanes) in window.iter_mut().enumerate() {
                let at = (tap * self.in_channels + c0 + c) * self.out_channels + k0;
                lanes.copy_from_slice(&self.values[at..at + LANES]);
            }
        }
        windows
    }

    /// The same of the turned weight.
    fn turned_block(&self, c0: usize, k0: usize) -> [[Lanes; 9]; LANES] {
        let mut windows = [[[0.0; LANES]; 9]; LANES];
        for tap in 0..9 {
            for k in 0..LANES {
                let at = ((8 - tap) * self.out_channels + k0 + k) * self.in_channels + c0;
                let row = &self.values[at..at + LANES];
                for (window, value) in windows.iter_mut().zip(row) {
                    window[tap][k] = *value;
                }
            }
        }
        windows
    }
}

/// A gradient of the transformed weights of some input channels, `[36][channels][out]`, back to the nine taps' rows of those
/// channels.
pub(super) fn transform_gradient(u: &[f32], channels: usize, out_channels: usize, taps: &mut [&mut [f32]]) {
    let stride = padded(channels * out_channels);
    for at in (0..channels * out_channels).step_by(LANES) {
        let windows = transform_weight_gradient(u, stride, at);
        for (tap, lanes) in taps.iter_mut().zip(&windows) {
            tap[at..at + LANES].copy_from_slice(lanes);
        }
    }
}
