//! How much is worked on at once.

use super::product::COLUMNS;
use crate::isa::{Kernel, dispatch};
use crate::simd::{LANES, Simd};

/// Sizes of blocks, as they were measured to be fastest: where a row of factors meets all columns of a chunk at once (AVX-512;
/// Zen 4, 1 MiB of second-level cache), and where it meets half of them (AVX2; Zen 3, 512 KiB).
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocking {
    /// Patches of a pass's block, at least: these share what is read of the weights.
    pub(super) patches: usize,
    /// Chunks of weights that each row of factors meets before the next row does: they share what is read of the rows.
    pub(super) chunks: usize,
    /// Patches of a weight gradient's block, at least: these share what is read and written of its sums.
    pub(super) summed: usize,
}

/// Bytes that stay in a core's cache while they are worked with: most of an L2.
pub(super) const NEAR: usize = 640 * 1024;

impl Blocking {
    /// For the instruction set in use.
    pub(super) fn current() -> Self {
        dispatch(Choose)
    }
}

struct Choose;

impl Kernel for Choose {
    type Output = Blocking;
    const BF16: bool = false;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Blocking {
        if S::BLOCK[1] * LANES == COLUMNS {
            Blocking { patches: 28, chunks: 1, summed: 32 }
        } else {
            Blocking { patches: 64, chunks: 4, summed: 64 }
        }
    }
}
