//! How a convolution is cut into patches, and a patch's share of it becomes matrix products.

use crate::element::Element;
use crate::fused::write::SharedSink;
use crate::fused::{Extent, Source};
use crate::simd::Simd;

/// One patch of one image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    pub(super) image: usize,
    pub(super) number: usize,
}

/// Where the values of a patch's channels go that stand side by side in a row.
pub(super) struct Row<'a, E> {
    /// From the row's first value on.
    pub(super) data: &'a mut [E],
    /// From one product's row to the next product's.
    pub(super) product: usize,
}

/// Where the products of a patch are.
#[derive(Clone, Copy)]
pub(super) struct Products<'a> {
    /// From the patch's first product on, a column for each of sixteen channels.
    pub(super) data: &'a [f32],
    /// From one product to the next.
    pub(super) product: usize,
}

/// A way to turn a convolution into matrix products: the inputs of each *patch* of outputs become a row of factors for each
/// of some *products*; each product's results over all channels become the patch's outputs.
pub(super) trait Scheme: Copy + Send + Sync {
    /// Patches of an image.
    fn patches(&self) -> usize;
    /// Separate products.
    fn products(&self) -> usize;
    /// Values of a row, for inputs of `channels` channels.
    fn row_len(&self, channels: usize) -> usize;
    /// Whether rows may be so long that blocks should hold more patches.
    fn most_patches(&self) -> usize;

    /// Makes the rows of one patch's inputs.
    fn gather<S: Simd, E: Element>(&self, s: S, x: &Source<E>, input: Extent, patch: Patch, row: Row<E>);

    /// Makes the rows of the inputs of as many patches as a factor has values, the patches' values side by side.
    fn gather_across<S: Simd, E: Element>(
        &self,
        s: S,
        x: &Source<E>,
        input: Extent,
        patches: [Option<Patch>; 2],
        row: Row<E>,
    );

    /// Likewise the rows of the gradients of the patches' outputs: the adjoint of `scatter`.
    fn gather_outputs<S: Simd, E: Element>(
        &self,
        s: S,
        dy: &Source<E>,
        output: Extent,
        patches: [Option<Patch>; 2],
        row: Row<E>,
    );

    /// Makes a patch's outputs, `lanes` channels from `channel` on.
    ///
    /// # Safety
    /// Meanwhile no other thread writes to these channels of the patch's image.
    #[allow(unsafe_code)]
    unsafe fn scatter<S: Simd, E: Element>(
        &self,
        s: S,
        products: Products,
        output: Extent,
        patch: Patch,
        channels: (usize, usize),
        sink: &SharedSink<E>,
    );
}

/// Receives the rows' values, sixteen channels at a time.
pub(super) trait Emit<S: Simd> {
    /// `v` belongs to product `e`.
    fn emit(&mut self, s: S, e: usize, v: S::Lanes);
}

/// Stores them.
pub(super) struct Store<'a, E> {
    pub(super) data: &'a mut [E],
    pub(super) product: usize,
    pub(super) at: usize,
}

impl<S: Simd, E: Element> Emit<S> for Store<'_, E> {
    #[inline(always)]
    fn emit(&mut self, s: S, e: usize, v: S::Lanes) {
        if let Some(to) = self.data[e * self.product + self.at..].first_chunk_mut() {
            E::store(s, v, to);
        }
    }
}

/// Keeps them until the next patch's are there.
pub(super) struct Keep<'a, L>(pub(super) &'a mut [L; 36]);

impl<S: Simd> Emit<S> for Keep<'_, S::Lanes> {
    #[inline(always)]
    fn emit(&mut self, _: S, e: usize, v: S::Lanes) {
        self.0[e] = v;
    }
}

/// Stores them beside those kept.
pub(super) struct Pair<'a, E, L> {
    pub(super) first: &'a [L; 36],
    pub(super) data: &'a mut [E],
    pub(super) product: usize,
    pub(super) at: usize,
}

impl<S: Simd, E: Element> Emit<S> for Pair<'_, E, S::Lanes> {
    #[inline(always)]
    fn emit(&mut self, s: S, e: usize, v: S::Lanes) {
        E::store_factors(s, self.first[e], v, &mut self.data[e * self.product + self.at..]);
    }
}
