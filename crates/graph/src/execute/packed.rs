//! Weights of convolutions that evaluations find ready.

use std::ops::Range;

use rayon::prelude::*;
use wick_kernels::fused::{Algorithm, pack_conv2d, packed_conv2d_len};
use wick_kernels::{Element, InstructionSet};

use crate::GraphError;
use crate::graph::Graph;

/// The weights that the last evaluation read, and where they lie ready at the end of the arena.
///
/// They are made ready when they are seen for the second time: weights in training may be evaluated but once.
#[derive(Debug)]
pub(super) struct Packed {
    /// Of each convolution.
    seen: Vec<Vec<f32>>,
    /// Of each convolution, from the first one's beginning.
    places: Vec<Range<usize>>,
    /// By which these were seen: other instructions round transformed weights otherwise.
    set: InstructionSet,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// They were never seen, or have changed since.
    Unknown,
    Seen,
    Ready,
}

/// What an evaluation meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meets {
    /// Other weights than the one before.
    Others,
    /// The same weights for the second time: worth making ready.
    Again,
    /// The same weights, which are ready.
    Ready,
}

/// Values that are compared at a time.
const CHUNK: usize = 1 << 16;

impl Packed {
    /// Of a graph's convolutions.
    pub fn new<E: Element>(graph: &Graph, algorithm: Algorithm) -> Result<Self, GraphError> {
        let mut places = Vec::with_capacity(graph.convs.len());
        let mut begin = 0;
        for conv in &graph.convs {
            let end = begin + packed_conv2d_len::<E>(&conv.shape, algorithm)?;
            places.push(begin..end);
            begin = end;
        }
        let set = InstructionSet::current();
        Ok(Self { seen: vec![Vec::new(); places.len()], places, set, state: State::Unknown })
    }

    /// Values of all.
    pub fn len(&self) -> usize {
        self.places.last().map_or(0, |place| place.end)
    }

    /// Bytes that the weights which were seen take beside the arena.
    pub fn seen_bytes(&self) -> usize {
        self.seen.iter().map(|weight| size_of_val(weight.as_slice())).sum()
    }

    /// Values of those that are ready.
    pub fn kept(&self) -> usize {
        if self.state == State::Ready { self.len() } else { 0 }
    }

    /// The weights are about to change, or what is in their place is.
    pub fn forget(&mut self) {
        self.state = State::Unknown;
    }

    /// Compares the weights of an evaluation with those seen before, bit by bit.
    pub fn meet(&mut self, graph: &Graph, parameters: &[&[f32]]) -> Meets {
        let weights = || graph.convs.iter().map(|conv| parameters[conv.weight]);
        let set = InstructionSet::current();
        let known = self.state != State::Unknown && self.set == set;
        if known && self.seen.iter().zip(weights()).all(|(a, b)| same_bits(a, b)) {
            return if self.state == State::Ready { Meets::Ready } else { Meets::Again };
        }
        for (seen, weight) in self.seen.iter_mut().zip(weights()) {
            seen.clear();
            seen.extend_from_slice(weight);
        }
        (self.set, self.state) = (set, State::Seen);
        Meets::Others
    }

    /// Makes all ready in `to`.
    pub fn pack<E: Element>(
        &mut self,
        graph: &Graph,
        algorithm: Algorithm,
        parameters: &[&[f32]],
        to: &mut [E],
    ) -> Result<(), GraphError> {
        for (conv, place) in graph.convs.iter().zip(&self.places) {
            pack_conv2d(&conv.shape, algorithm, parameters[conv.weight], &mut to[place.clone()])?;
        }
        self.state = State::Ready;
        Ok(())
    }

    /// Where a convolution's lie, if they are ready.
    pub fn place(&self, conv: usize) -> Option<Range<usize>> {
        (self.state == State::Ready).then(|| self.places[conv].clone())
    }
}

fn same_bits(a: &[f32], b: &[f32]) -> bool {
    let same = |(a, b): (&[f32], &[f32])| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
    a.len() == b.len() && a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)).all(same)
}
