//! Forward passes, and input gradients seen as such: rows, products, outputs, a cacheful at a time.
#![allow(unsafe_code)]

use std::ops::Range;

use rayon::prelude::*;

use super::product::{AHEAD, COLUMNS, Left, Place, Right, product, steps};
use super::scheme::{Along, Patches, Products, Rows, Scheme, sixteens};
use super::weights::{Operand, Weights};
use crate::element::Element;
use crate::fused::write::SharedSink;
use crate::fused::{Extent, Source, Write};
use crate::isa::{Kernel, dispatch};
use crate::prefetch::Ahead;
use crate::scratch;
use crate::simd::{LANES, Simd};

/// One pass: from a source through weights into a sink.
pub(super) struct Pass<'a, E, P, O> {
    pub(super) scheme: P,
    pub(super) operand: O,
    pub(super) x: Source<'a, E>,
    pub(super) input: Extent,
    pub(super) weights: Weights<'a>,
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
    /// Separate products.
    products: usize,
    /// Patches of a block.
    patches: usize,
    /// Values of a row.
    row: usize,
    /// From one patch's rows, of all products, to the next patch's.
    patch: usize,
    /// From one patch's sums to the next patch's.
    sums: usize,
    /// Steps of a product.
    depth: usize,
    /// Values of a chunk of weights.
    chunk: usize,
    /// Chunks of weights.
    chunks: usize,
}

impl<E: Element, P: Scheme, O: Operand> Pass<'_, E, P, O> {
    pub(super) fn run(&self, sink: &SharedSink<E>) {
        let total = self.input.images * self.scheme.patches();
        let sizes = self.sizes();
        if total == 0 {
            return;
        }
        // With so few patches that the weights are larger than all that is made of them, each chunk of weights is made once,
        // where it is used, for all patches.
        let weights_first =
            sizes.chunk * sizes.chunks > total * (sizes.row + COLUMNS) * self.scheme.products();
        if weights_first && sizes.chunks > 1 {
            self.weights_first(&sizes, sink);
        } else {
            self.patches_first(&sizes, sink);
        }
    }

    fn sizes(&self) -> Sizes {
        const ROWS: usize = 640 * 1024; // bytes: most of an L2
        let (channels, products) = (self.input.channels, self.scheme.products());
        let row = self.scheme.row_len(channels).next_multiple_of(64 / size_of::<E>());
        let fitting = ROWS / (row * products * size_of::<E>());
        let most = fitting.clamp(28, self.scheme.most_patches());
        // Blocks of the same size, that do not straddle images where an image has several.
        let per_image = self.scheme.patches();
        let patches = if per_image <= most {
            most / per_image * per_image
        } else {
            per_image.div_ceil(per_image.div_ceil(most))
        };
        Sizes {
            products,
            patches,
            row,
            patch: spread::<E>(products * row),
            sums: spread::<f32>(products * COLUMNS),
            depth: self.operand.depth(channels).div_ceil(E::PAIR),
            // At least one step: a phase may have no taps at all, and zeros come out.
            chunk: self.operand.chunk_len::<E>(self.weights.summed()).max(E::PAIR * COLUMNS),
            chunks: self.weights.columns().div_ceil(COLUMNS),
        }
    }

    /// All weights, then block after block of patches.
    fn patches_first(&self, sizes: &Sizes, sink: &SharedSink<E>) {
        scratch::with(sizes.chunk * sizes.chunks, |packed: &mut [E]| {
            packed.par_chunks_mut(sizes.chunk).enumerate().for_each(|(chunk, packed)| {
                dispatch(Pack { operand: self.operand, weights: &self.weights, chunk, to: packed });
            });
            let packed = &*packed;
            // One image at least to a task: sums are per image.
            let per_image = self.scheme.patches();
            let at_once = (sizes.patches / per_image).max(1);
            (0..self.input.images.div_ceil(at_once)).into_par_iter().for_each(|task| {
                let images = task * at_once..((task + 1) * at_once).min(self.input.images);
                let patches = images.start * per_image..images.end * per_image;
                let rows = sizes.patches * sizes.patch;
                scratch::with(rows, |rows: &mut [E]| {
                    scratch::with(sizes.patches * sizes.sums, |sums: &mut [f32]| {
                        for first in patches.clone().step_by(sizes.patches) {
                            let block = first..(first + sizes.patches).min(patches.end);
                            dispatch(Gather { pass: self, sizes, block: block.clone(), rows });
                            // What these products will be written over, and what the next block reads: most likely this
                            // thread's next one.
                            let next = block.end..block.end + block.len();
                            let mut ahead = Ahead::nothing();
                            sink.ahead(&self.range(&block, self.output), &mut ahead);
                            self.x.ahead(&self.range(&next, self.input), &mut ahead);
                            let mut ahead =
                                ahead.in_steps(sizes.chunks * sizes.products * steps(block.len()));
                            for (chunk, packed) in packed.chunks_exact(sizes.chunk).enumerate() {
                                multiply(sizes, block.len(), (rows, packed), sums, &mut ahead);
                                let (sums, block) = (&*sums, block.clone());
                                dispatch(Scatter { pass: self, sizes, block, chunk, sums, sink });
                            }
                        }
                    });
                });
            });
        });
    }

    /// About which values of a tensor belong to the patches.
    fn range(&self, patches: &Range<usize>, extent: Extent) -> Range<usize> {
        let (image, per_image) = (extent.pixels * extent.channels, self.scheme.patches());
        patches.start * image / per_image..patches.end * image / per_image
    }

    /// All rows, then chunk after chunk of weights.
    fn weights_first(&self, sizes: &Sizes, sink: &SharedSink<E>) {
        let total = self.input.images * self.scheme.patches();
        let block_len = sizes.patches * sizes.patch;
        let block = |i: usize| i * sizes.patches..((i + 1) * sizes.patches).min(total);
        scratch::with(total.div_ceil(sizes.patches) * block_len, |rows: &mut [E]| {
            rows.par_chunks_mut(block_len).enumerate().for_each(|(i, rows)| {
                dispatch(Gather { pass: self, sizes, block: block(i), rows });
            });
            let rows = &*rows;
            (0..sizes.chunks).into_par_iter().for_each(|chunk| {
                scratch::with(sizes.chunk, |packed: &mut [E]| {
                    dispatch(Pack { operand: self.operand, weights: &self.weights, chunk, to: packed });
                    scratch::with(sizes.patches * sizes.sums, |sums: &mut [f32]| {
                        for (i, rows) in rows.chunks_exact(block_len).enumerate() {
                            multiply(sizes, block(i).len(), (rows, packed), sums, &mut Ahead::nothing());
                            let sums = &*sums;
                            dispatch(Scatter { pass: self, sizes, block: block(i), chunk, sums, sink });
                        }
                    });
                });
            });
        });
    }
}

/// The products of the rows of `patches` patches with a chunk of weights.
fn multiply<E: Element>(
    sizes: &Sizes,
    patches: usize,
    (rows, packed): (&[E], &[E]),
    sums: &mut [f32],
    ahead: &mut Ahead<AHEAD>,
) {
    let each = packed.len() / sizes.products;
    for (e, packed) in packed.chunks_exact(each).enumerate() {
        let left = Left { data: &rows[e * sizes.row..], row: sizes.patch / E::PAIR, step: 1 };
        let right = Right { data: packed, step: COLUMNS };
        let place = Place { data: &mut sums[e * COLUMNS..], row: sizes.sums, write: Write::Overwrite };
        product(patches, sizes.depth, left, right, place, ahead);
    }
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
        let rows = Rows { data: rows, row: sizes.patch, product: sizes.row };
        pass.scheme.gather(s, &pass.x, pass.input, patches, Along::Channels, rows);
    }
}

/// The outputs of a block, of one chunk of channels, from the sums of its products.
struct Scatter<'a, 'b, E, P, O> {
    pass: &'a Pass<'b, E, P, O>,
    sizes: &'a Sizes,
    block: Range<usize>,
    chunk: usize,
    sums: &'a [f32],
    sink: &'a SharedSink<'b, E>,
}

impl<E: Element, P: Scheme, O: Operand> Kernel for Scatter<'_, '_, E, P, O> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { pass, sizes, block, chunk, sums, sink } = self;
        let patches = Patches::new(&block, pass.scheme.grid());
        let columns = sixteens(pass.output.channels).skip(chunk * COLUMNS / LANES).take(COLUMNS / LANES);
        for (v, channels) in columns.enumerate() {
            let data = &sums[v * LANES..];
            let products = Products { data, patch: sizes.sums, product: COLUMNS };
            // SAFETY: a task has its images (patches first) or its channels (weights first) to itself.
            unsafe { pass.scheme.scatter(s, products, patches, channels, sink) }
        }
    }
}
