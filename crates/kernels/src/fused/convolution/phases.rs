//! Input gradients of strided convolutions.

use super::pass::Pass;
use super::weights::{Taps, Weights};
use super::windows::{Steps, Windows};
use crate::convolution::Conv2dShape;
use crate::element::Element;
use crate::fused::write::SharedSink;
use crate::fused::{Extent, Source};

/// Along one axis, what reaches the inputs whose place leaves the remainder `phase`.
struct Reach {
    phase: usize,
    taps: Vec<usize>,
    /// The output that the first tap takes to the first of these inputs (wrapped around where before all outputs); each further
    /// tap, the next one.
    from: usize,
}

impl Reach {
    fn new(s: &Conv2dShape, axis: usize, phase: usize) -> Self {
        let (kernel, stride) = (s.kernel[axis], s.stride);
        let reaches = |tap: &usize| (phase + s.padding + stride * kernel - tap).is_multiple_of(stride);
        let taps: Vec<usize> = (0..kernel).rev().filter(reaches).collect();
        let distance = |tap: &usize| (phase + s.padding) as isize - *tap as isize;
        let from = taps.first().map_or(0, |tap| distance(tap).div_euclid(stride as isize) as usize);
        Self { phase, taps, from }
    }
}

/// An input gradient, phase by phase: to the inputs whose row and column leave the same remainders the same taps contribute,
/// each from one output. Inputs that no tap reaches, as of strides longer than the kernel, are written along with a phase.
pub(super) fn run<E: Element>(
    s: &Conv2dShape,
    (dy, output): (Source<E>, Extent),
    weights: Weights,
    (sink, input): (&SharedSink<E>, Extent),
) {
    let size = [s.height, s.width];
    let along = |axis: usize| (0..s.stride.min(size[axis])).map(move |phase| Reach::new(s, axis, phase));
    let (down, across) = (along(0).collect::<Vec<_>>(), along(1).collect::<Vec<_>>());
    let phases = down.iter().flat_map(|y| across.iter().map(move |x| (y, x)));
    let (mut reached, mut unreached): (Vec<_>, Vec<_>) =
        phases.partition(|(y, x)| !y.taps.is_empty() && !x.taps.is_empty());
    if reached.is_empty() {
        // All inputs lie between the windows. One phase has to be a pass's.
        reached.extend(unreached.pop());
    }
    let mut zeros: Vec<_> = unreached.into_iter().map(|(y, x)| [y.phase, x.phase]).collect();
    if sink.ignores_zeros() {
        zeros.clear();
    }
    for (y, x) in reached {
        let first = [y.phase, x.phase];
        let rest = |axis: usize| size[axis] - if zeros.is_empty() { first[axis] } else { 0 };
        let taps: Vec<_> =
            y.taps.iter().flat_map(|y| x.taps.iter().map(move |x| y * s.kernel[1] + x)).collect();
        let scheme = Windows {
            input: [s.out_height(), s.out_width()],
            output: size,
            grid: [0, 1].map(|axis| rest(axis).div_ceil(s.stride)),
            at: Steps { first, step: s.stride },
            from: Steps { first: [y.from, x.from], step: 1 },
            size: [y.taps.len(), x.taps.len()],
            unreached: &zeros,
        };
        Pass { scheme, operand: Taps(&taps), x: dy, input: output, weights, packed: None, output: input }
            .run(sink);
        zeros.clear();
    }
}
