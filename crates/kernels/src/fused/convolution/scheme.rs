//! How a convolution is cut into patches, and a patch's share of it becomes matrix products.
#![allow(unsafe_code)]

use std::ops::Range;

use crate::element::Element;
pub(super) use crate::fused::elementwise::sixteens;
use crate::fused::read::Channels;
use crate::fused::write::SharedSink;
use crate::fused::{Extent, Source};
use crate::prefetch::Region;
use crate::simd::{LANES, Simd};

/// One patch: its image, and its row and column in the image's grid of patches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    pub(super) image: usize,
    pub(super) at: [usize; 2],
}

/// Consecutive patches of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patches {
    next: Patch,
    left: usize,
    grid: [usize; 2],
}

impl Patches {
    /// Those numbered `range`, where an image has `grid` rows and columns of them.
    pub(super) fn new(range: &Range<usize>, grid: [usize; 2]) -> Self {
        let (image, number) = (range.start / (grid[0] * grid[1]), range.start % (grid[0] * grid[1]));
        let next = Patch { image, at: [number / grid[1], number % grid[1]] };
        Self { next, left: range.len(), grid }
    }

    pub(super) fn len(&self) -> usize {
        self.left
    }

    pub(super) fn first(&self) -> Patch {
        self.next
    }

    /// The first of those beside each other in a row of the grid, and how many they are, row by row.
    #[inline(always)]
    pub(super) fn lines(mut self) -> impl Iterator<Item = (Patch, usize)> {
        std::iter::from_fn(move || {
            let first = self.next;
            let count = self.left.min(self.grid[1] - first.at[1]);
            self.left -= count;
            let down = first.at[0] + 1;
            self.next = if down < self.grid[0] {
                Patch { at: [down, 0], ..first }
            } else {
                Patch { image: first.image + 1, at: [0, 0] }
            };
            (count > 0).then_some((first, count))
        })
    }
}

impl Iterator for Patches {
    type Item = Patch;

    #[inline(always)]
    fn next(&mut self) -> Option<Patch> {
        if self.left == 0 {
            return None;
        }
        let patch = self.next;
        self.left -= 1;
        self.next.at[1] += 1;
        if self.next.at[1] == self.grid[1] {
            self.next.at = [patch.at[0] + 1, 0];
            if self.next.at[0] == self.grid[0] {
                self.next = Patch { image: patch.image + 1, at: [0, 0] };
            }
        }
        Some(patch)
    }
}

/// Where the rows of a block's patches go.
pub(super) struct Rows<'a, E> {
    /// From the first patch's first row on.
    pub(super) data: &'a mut [E],
    /// From one patch's (or pair's) row to the next one's.
    pub(super) row: usize,
    /// From one row of a patch to the next of the same patch.
    pub(super) next: usize,
    pub(super) panels: Panels,
}

/// Channels that stand together.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    /// Channels of a panel; more than one panel begins at whole registers.
    pub(super) width: usize,
    /// From one panel to the next.
    pub(super) step: usize,
}

impl Panels {
    /// All channels in one.
    pub(super) const ONE: Self = Self { width: usize::MAX, step: 0 };

    /// Where a channel stands, if each is of `PAIR` values.
    #[inline(always)]
    pub(super) fn at<E: Element>(&self, channel: usize) -> usize {
        channel / self.width * self.step + channel % self.width * E::PAIR
    }
}

/// How the patches' values stand in the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Along {
    /// A row a patch; a factor's values are neighbouring channels.
    Channels,
    /// A row for as many patches as a factor has values; a factor's values are theirs.
    Patches,
}

/// Some sums of a block.
#[derive(Clone, Copy)]
pub(super) struct Sums<'a> {
    /// From the first patch's first sum on, a column for each of sixteen channels.
    pub(super) data: &'a [f32],
    /// From one patch to the next.
    pub(super) patch: usize,
    /// From one sum to the next.
    pub(super) sum: usize,
    pub(super) phase: usize,
}

/// A way to turn a convolution into matrix products: the inputs of each *patch* of outputs become some *rows* of factors; the
/// products of these rows with the weights are added up to *sums*, and the patch's outputs are made from them.
pub(super) trait Scheme: Copy + Send + Sync {
    /// Rows and columns of patches of an image.
    fn grid(&self) -> [usize; 2];
    /// Rows that a patch's inputs become.
    fn rows(&self) -> usize;
    /// Parts of a patch's outputs, made one after another from the same rows.
    fn phases(&self) -> usize {
        1
    }
    /// Sums of a phase.
    fn sums(&self, _phase: usize) -> usize {
        self.rows()
    }
    /// The rows that a sum adds up. A phase's weights stand in the order of its sums and their rows.
    fn terms(&self, _phase: usize, sum: usize) -> Range<usize> {
        sum..sum + 1
    }
    /// Values of a row, for inputs of `channels` channels: whole registers are stored.
    fn row_len(&self, channels: usize) -> usize {
        channels.next_multiple_of(LANES)
    }
    /// Patches that are enough for a block.
    fn most_patches(&self) -> usize {
        64
    }

    /// Makes the rows of the patches' inputs.
    fn gather<S: Simd, E: Element>(
        &self,
        s: S,
        x: &Source<E>,
        input: Extent,
        patches: Patches,
        along: Along,
        rows: Rows<E>,
    );

    /// Makes some channels of a phase of the patches' outputs.
    ///
    /// # Safety
    /// Meanwhile no other thread writes to these channels of the patches' images.
    unsafe fn scatter<S: Simd, E: Element>(
        &self,
        s: S,
        sums: Sums,
        patches: Patches,
        channels: Channels,
        sink: &SharedSink<E>,
    );

    /// About which inputs the patches read.
    fn reads(&self, patches: &Range<usize>, input: Extent) -> Region {
        portion(patches, self.patches(), input)
    }

    /// Patches of an image.
    fn patches(&self) -> usize {
        self.grid()[0] * self.grid()[1]
    }
}

/// One that weight gradients are made by: products of the rows of inputs with those of the outputs' gradients.
pub(super) trait Adjoint: Scheme {
    /// Rows that the gradients of a patch's outputs become.
    fn output_rows(&self) -> usize {
        self.rows()
    }
    /// The one of them that belongs to a row of inputs.
    fn output_row(&self, row: usize) -> usize {
        row
    }

    /// Makes the rows of the gradients of the patches' outputs, along the patches: the adjoint of `scatter`.
    fn gather_outputs<S: Simd, E: Element>(
        &self,
        s: S,
        dy: &Source<E>,
        output: Extent,
        patches: Patches,
        rows: Rows<E>,
    );
}

/// About which values of a tensor belong to the patches, of which there are `per_image`.
pub(super) fn portion(patches: &Range<usize>, per_image: usize, extent: Extent) -> Region {
    let of = |patch: usize| patch * extent.pixels * extent.channels / per_image;
    let len = of(patches.end) - of(patches.start);
    Region::run(of(patches.start), len)
}

/// Receives the values of a patch's rows, sixteen channels at a time, row by row.
pub(super) trait Emit<S: Simd> {
    /// `v` belongs to the next row.
    ///
    /// # Safety
    /// There is a next one: at most as many values are emitted as the receiver was made for.
    unsafe fn emit(&mut self, s: S, v: S::Lanes);
}

/// Stores them.
struct Store<E> {
    next: *mut E,
    step: usize,
}

impl<S: Simd, E: Element> Emit<S> for Store<E> {
    #[inline(always)]
    unsafe fn emit(&mut self, s: S, v: S::Lanes) {
        // SAFETY: `fill_rows` has asserted that sixteen values of each row lie within the data.
        E::store(s, v, unsafe { &mut *self.next.cast() });
        self.next = self.next.wrapping_add(self.step);
    }
}

/// Keeps them until the next patch's are there.
struct Keep<L> {
    next: *mut L,
}

impl<S: Simd> Emit<S> for Keep<S::Lanes> {
    #[inline(always)]
    unsafe fn emit(&mut self, _: S, v: S::Lanes) {
        // SAFETY: there is room for `MOST_ROWS`, as many as the largest scheme has.
        unsafe { *self.next = v };
        self.next = self.next.wrapping_add(1);
    }
}

/// Stores them beside those kept.
struct Pair<E, L> {
    first: *const L,
    next: *mut E,
    step: usize,
}

impl<S: Simd, E: Element> Emit<S> for Pair<E, S::Lanes> {
    #[inline(always)]
    unsafe fn emit(&mut self, s: S, v: S::Lanes) {
        // SAFETY: as in `Store` (for pairs of values) and in `Keep`.
        unsafe {
            let to = std::slice::from_raw_parts_mut(self.next, LANES * E::PAIR);
            E::store_factors(s, *self.first, v, to);
        }
        self.first = self.first.wrapping_add(1);
        self.next = self.next.wrapping_add(self.step);
    }
}

/// Makes a patch's values.
pub(super) trait Make<S: Simd> {
    /// The patch is number `t` of the block.
    fn make<M: Emit<S>>(&mut self, s: S, t: usize, patch: Patch, emit: M);
}

/// The most rows of a patch.
pub(super) const MOST_ROWS: usize = 81;

/// The rows of all patches, of the sixteen channels that begin at `at`; `count` rows a patch.
#[inline(always)]
pub(super) fn fill_rows<S: Simd, E: Element>(
    s: S,
    patches: Patches,
    (along, count, at): (Along, usize, usize),
    rows: &mut Rows<E>,
    mut make: impl Make<S>,
) {
    let (step, apart) = (rows.next, along == Along::Patches && E::PAIR == 2);
    let (lines, width) = if apart { (patches.left.div_ceil(2), 2) } else { (patches.left, 1) };
    if lines == 0 {
        return;
    }
    let begin = if along == Along::Patches { rows.panels.at::<E>(at) } else { at };
    // What the receivers rely on.
    let end = begin + (count - 1) * step + (lines - 1) * rows.row + LANES * width;
    assert!(end <= rows.data.len() && count <= MOST_ROWS, "rows beyond their place");
    let mut next = rows.data[begin..].as_mut_ptr();
    if !apart {
        for (t, patch) in patches.enumerate() {
            make.make(s, t, patch, Store { next, step });
            next = next.wrapping_add(rows.row);
        }
        return;
    }
    let mut kept = [s.splat(0.0); MOST_ROWS];
    let (mut patches, mut t) = (patches, 0);
    while let Some(first) = patches.next() {
        make.make(s, t, first, Keep { next: kept.as_mut_ptr() });
        let mut pair = Pair { first: kept.as_ptr(), next, step };
        match patches.next() {
            Some(second) => make.make(s, t + 1, second, pair),
            // SAFETY: as many as were kept.
            None => (0..count).for_each(|_| unsafe { pair.emit(s, s.splat(0.0)) }),
        }
        next = next.wrapping_add(rows.row);
        t += 2;
    }
}
