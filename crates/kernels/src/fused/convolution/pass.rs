//! Forward passes, and input gradients seen as such: rows, products, outputs, a cacheful at a time.
#![allow(unsafe_code)]

use std::ops::Range;

use rayon::prelude::*;

use super::blocking::{Blocking, NEAR};
use super::product::{AHEAD, COLUMNS, Left, Place, Right, product, steps};
use super::scheme::{Along, Panels, Patches, Rows, Scheme, Sums, portion, sixteens};
use super::weights::{Operand, Weights};
use crate::element::Element;
use crate::fused::write::SharedSink;
use crate::fused::{Extent, Source, Write};
use crate::isa::{Kernel, dispatch};
use crate::prefetch::{Ahead, Region};
use crate::scratch;
use crate::simd::{LANES, Simd};

/// One pass: from a source through weights into a sink.
pub(super) struct Pass<'a, E, P, O> {
    pub(super) scheme: P,
    pub(super) operand: O,
    pub(super) x: Source<'a, E>,
    pub(super) input: Extent,
    pub(super) weights: Weights<'a>,
    /// The weights as [`Pass::pack`] leaves them, if that is done already.
    pub(super) packed: Option<&'a [E]>,
    pub(super) output: Extent,
}

/// A number of lines, odd if there are many: rows whose beginnings are a power of two apart would all fall into the same places
/// of the caches.
pub(super) fn spread<E>(len: usize) -> usize {
    let per_line = 64 / size_of::<E>();
    let lines = len.div_ceil(per_line);
    per_line * if lines >= 8 { lines | 1 } else { lines }
}

/// What is known of all blocks of a pass.
#[derive(Clone, Copy)]
struct Sizes {
    /// Patches of a block.
    patches: usize,
    /// Values of a row.
    row: usize,
    /// From one patch's rows to the next patch's.
    patch: usize,
    /// From one patch's sums to the next patch's.
    sums: usize,
    /// Steps of a row's product.
    depth: usize,
    /// Values of a chunk of weights, of all phases.
    chunk: usize,
    /// Chunks of weights.
    chunks: usize,
    /// Chunks that each row of factors meets before the next row does.
    at_once: usize,
}

impl<E: Element, P: Scheme, O: Operand> Pass<'_, E, P, O> {
    pub(super) fn run(&self, sink: &SharedSink<E>) {
        let total = self.input.images * self.scheme.patches();
        if total == 0 {
            return;
        }
        // With so few patches that the weights are larger than all that is made of them, each chunk of weights is made once,
        // where it is used, for all patches.
        let sizes = self.sizes(self.most_patches());
        let weights_first = sizes.chunk * sizes.chunks > total * (sizes.row + COLUMNS) * self.scheme.rows();
        if weights_first && sizes.chunks > 1 {
            self.weights_first(&self.sizes(total.min(128)), sink);
        } else {
            self.patches_first(&sizes, sink);
        }
    }

    /// From one row to the next.
    fn row(&self) -> usize {
        self.scheme.row_len(self.input.channels).next_multiple_of(64 / size_of::<E>())
    }

    /// Patches whose rows stay in a core's cache.
    fn most_patches(&self) -> usize {
        let fitting = NEAR / (self.row() * self.scheme.rows() * size_of::<E>());
        let most = fitting.clamp(Blocking::current().patches, self.scheme.most_patches());
        // Blocks of the same size, that do not straddle images where an image has several.
        let per_image = self.scheme.patches();
        if per_image <= most {
            most / per_image * per_image
        } else {
            per_image.div_ceil(per_image.div_ceil(most))
        }
    }

    /// Of blocks of so many patches.
    fn sizes(&self, patches: usize) -> Sizes {
        let row = self.row();
        let sums = (0..self.scheme.phases()).map(|phase| self.scheme.sums(phase)).max().unwrap_or(0);
        Sizes {
            patches,
            row,
            patch: spread::<E>(self.scheme.rows() * row),
            sums: spread::<f32>(sums * COLUMNS),
            depth: self.operand.depth(self.input.channels).div_ceil(E::PAIR),
            // At least one step: a phase may have no taps at all, and zeros come out.
            chunk: self.operand.chunk_len::<E>(self.weights.summed()).max(E::PAIR * COLUMNS),
            chunks: self.weights.columns().div_ceil(COLUMNS),
            at_once: Blocking::current().chunks,
        }
    }

    /// Values that all weights become.
    pub(super) fn packed_len(&self) -> usize {
        let sizes = self.sizes(1);
        sizes.chunk * sizes.chunks
    }

    /// Makes all weights ready: chunk after chunk.
    pub(super) fn pack(&self, to: &mut [E]) {
        to.par_chunks_mut(self.sizes(1).chunk).enumerate().for_each(|(chunk, to)| self.pack_chunk(chunk, to));
    }

    fn pack_chunk(&self, chunk: usize, to: &mut [E]) {
        dispatch(Pack { operand: self.operand, weights: &self.weights, chunk, to });
    }

    /// All weights, then block after block of patches.
    fn patches_first(&self, sizes: &Sizes, sink: &SharedSink<E>) {
        match self.packed {
            Some(packed) => self.blocks(sizes, packed, sink),
            None => scratch::with(sizes.chunk * sizes.chunks, |packed: &mut [E]| {
                self.pack(packed);
                self.blocks(sizes, packed, sink);
            }),
        }
    }

    /// Block after block of patches, with all weights.
    fn blocks(&self, sizes: &Sizes, packed: &[E], sink: &SharedSink<E>) {
        // One image at least to a task: sums are per image.
        let per_image = self.scheme.patches();
        let at_once = (sizes.patches / per_image).max(1);
        (0..self.input.images.div_ceil(at_once)).into_par_iter().for_each(|task| {
            let images = task * at_once..((task + 1) * at_once).min(self.input.images);
            let patches = images.start * per_image..images.end * per_image;
            let rows = sizes.patches * sizes.patch;
            scratch::with(rows, |rows: &mut [E]| {
                scratch::with(sizes.patches * sizes.sums * sizes.at_once, |sums: &mut [f32]| {
                    for first in patches.clone().step_by(sizes.patches) {
                        let block = first..(first + sizes.patches).min(patches.end);
                        dispatch(Gather { pass: self, sizes, block: block.clone(), rows });
                        // What these products will be written over, and what the next block reads: most likely this
                        // thread's next one.
                        let next = block.end..block.end + block.len();
                        let mut ahead = Ahead::nothing();
                        sink.ahead(&portion(&block, per_image, self.output), &mut ahead);
                        self.x.ahead(&self.scheme.reads(&next, self.input), &mut ahead);
                        let depth = sizes.depth * self.operand.rows() * sizes.chunks;
                        let mut ahead = ahead.in_steps(steps::<E>(block.len(), depth));
                        for first in (0..sizes.chunks).step_by(sizes.at_once) {
                            let chunks = first..(first + sizes.at_once).min(sizes.chunks);
                            let packed = &packed[first * sizes.chunk..];
                            let block = Block { patches: block.clone(), rows, chunks, packed };
                            self.outputs(sizes, block, sums, sink, &mut ahead);
                        }
                    }
                });
            });
        });
    }

    /// All rows, then chunk after chunk of weights.
    fn weights_first(&self, sizes: &Sizes, sink: &SharedSink<E>) {
        let total = self.input.images * self.scheme.patches();
        let block_len = sizes.patches * sizes.patch;
        let block = |i: usize| i * sizes.patches..((i + 1) * sizes.patches).min(total);
        scratch::with(total.div_ceil(sizes.patches) * block_len, |rows: &mut [E]| {
            // In pieces, for all threads to have some: often all patches are one block.
            const PIECE: usize = 8;
            rows.par_chunks_mut(PIECE * sizes.patch).enumerate().for_each(|(i, rows)| {
                let piece = i * PIECE..((i + 1) * PIECE).min(total);
                // The last block may have places for more patches than there are.
                if !piece.is_empty() {
                    dispatch(Gather { pass: self, sizes, block: piece, rows });
                }
            });
            let rows = &*rows;
            let multiply = |chunk: usize, packed: &[E]| {
                scratch::with(sizes.patches * sizes.sums, |sums: &mut [f32]| {
                    for (i, rows) in rows.chunks_exact(block_len).enumerate() {
                        let chunks = chunk..chunk + 1;
                        let block = Block { patches: block(i), rows, chunks, packed };
                        self.outputs(sizes, block, sums, sink, &mut Ahead::nothing());
                    }
                });
            };
            (0..sizes.chunks).into_par_iter().for_each(|chunk| match self.packed {
                Some(packed) => multiply(chunk, &packed[chunk * sizes.chunk..][..sizes.chunk]),
                None => scratch::with(sizes.chunk, |packed: &mut [E]| {
                    self.pack_chunk(chunk, packed);
                    multiply(chunk, packed);
                }),
            });
        });
    }

    /// The outputs of some patches, of the columns of some chunks. Meanwhile asks for what is `ahead`, and for the next product's
    /// factors where they come from further away than a core's own cache.
    fn outputs(
        &self,
        sizes: &Sizes,
        block: Block<E>,
        sums: &mut [f32],
        sink: &SharedSink<E>,
        ahead: &mut Ahead<AHEAD>,
    ) {
        // What the weights of one row take up.
        let each = sizes.depth * E::PAIR * COLUMNS;
        let (chunks, patches) = (block.chunks.len(), block.patches.len());
        let row = sizes.sums * chunks;
        let far = size_of_val(block.rows) > NEAR;
        let mut right = 0;
        for phase in 0..self.scheme.phases() {
            for sum in 0..self.scheme.sums(phase) {
                let terms = self.scheme.terms(phase, sum);
                assert!(
                    terms.len() == 1 || sizes.row == sizes.depth * E::PAIR,
                    "rows with gaps between them"
                );
                let len = terms.len() * each;
                for chunk in 0..chunks {
                    let data = &block.rows[terms.start * sizes.row..];
                    let left = Left { data, row: sizes.patch / E::PAIR, step: 1 };
                    let at = chunk * sizes.chunk + right;
                    let weights = Right { data: &block.packed[at..], step: COLUMNS };
                    let data = &mut sums[chunk * sizes.sums + sum * COLUMNS..];
                    let place = Place { data, row, write: Write::Overwrite };
                    if far {
                        if chunk + 1 < chunks {
                            ahead.add_near(block.packed, &Region::run(at + sizes.chunk, len));
                        } else {
                            ahead.add_near(block.packed, &Region::run(right + len, len));
                            if sum + 1 < self.scheme.sums(phase) {
                                let terms = self.scheme.terms(phase, sum + 1);
                                let (first, len) = (terms.start * sizes.row, terms.len() * sizes.row);
                                let region = Region { first, len, step: sizes.patch, runs: patches };
                                ahead.add_near(block.rows, &region);
                            }
                        }
                    }
                    product(patches, terms.len() * sizes.depth, left, weights, place, ahead);
                }
                right += len;
            }
            for (i, chunk) in block.chunks.clone().enumerate() {
                let (sums, block) = (&sums[i * sizes.sums..], block.patches.clone());
                dispatch(Scatter { pass: self, row, block, chunk, phase, sums, sink });
            }
        }
    }
}

/// Some patches' rows, and chunks of weights to multiply them with.
struct Block<'a, E> {
    patches: Range<usize>,
    rows: &'a [E],
    chunks: Range<usize>,
    /// The chunks' weights.
    packed: &'a [E],
}

struct Pack<'a, E, O> {
    operand: O,
    weights: &'a Weights<'a>,
    chunk: usize,
    to: &'a mut [E],
}

impl<E: Element, O: Operand> Kernel for Pack<'_, E, O> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        self.operand.pack(s, self.weights, self.chunk * COLUMNS, self.to);
    }
}

struct Gather<'a, 'b, E, P, O> {
    pass: &'a Pass<'b, E, P, O>,
    sizes: &'a Sizes,
    block: Range<usize>,
    rows: &'a mut [E],
}

impl<E: Element, P: Scheme, O: Operand> Kernel for Gather<'_, '_, E, P, O> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { pass, sizes, block, rows } = self;
        let patches = Patches::new(&block, pass.scheme.grid());
        let rows = Rows { data: rows, row: sizes.patch, next: sizes.row, panels: Panels::ONE };
        pass.scheme.gather(s, &pass.x, pass.input, patches, Along::Channels, rows);
    }
}

/// The outputs of a block, of one chunk of channels and one phase, from their sums.
struct Scatter<'a, 'b, E, P, O> {
    pass: &'a Pass<'b, E, P, O>,
    /// From one patch's sums to the next patch's.
    row: usize,
    block: Range<usize>,
    chunk: usize,
    phase: usize,
    sums: &'a [f32],
    sink: &'a SharedSink<'b, E>,
}

impl<E: Element, P: Scheme, O: Operand> Kernel for Scatter<'_, '_, E, P, O> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { pass, row, block, chunk, phase, sums, sink } = self;
        let patches = Patches::new(&block, pass.scheme.grid());
        let columns = sixteens(pass.output.channels).skip(chunk * COLUMNS / LANES).take(COLUMNS / LANES);
        for (v, channels) in columns.enumerate() {
            let data = &sums[v * LANES..];
            let sums = Sums { data, patch: row, sum: COLUMNS, phase };
            // SAFETY: a task has its images (patches first) or its channels (weights first) to itself.
            unsafe { pass.scheme.scatter(s, sums, patches, channels, sink) }
        }
    }
}
