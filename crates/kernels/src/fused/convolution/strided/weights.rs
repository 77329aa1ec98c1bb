//! 3×3 filters at the points.

use super::order::{ALL, BY_PHASE, PLACES};
use super::transforms::{VALUES, taps, taps_adjoint};
use crate::fused::convolution::filters::{Filters, ROOM};
use crate::simd::Simd;

/// The filters, with the row of each place of theirs.
#[derive(Debug, Clone, Copy)]
pub(in crate::fused::convolution) struct StridedFilters(&'static [usize; ALL]);

impl StridedFilters {
    /// Of a forward pass, and of a weight gradient.
    pub(in crate::fused::convolution) const FORWARD: Self = Self(&inverse(&PLACES));
    /// Of an input gradient, phase by phase.
    pub(in crate::fused::convolution) const TURNED: Self = Self(&inverse(&BY_PHASE));
}

/// The row of each place, given the place of each row.
const fn inverse(places: &[usize; ALL]) -> [usize; ALL] {
    let mut rows = [0; ALL];
    let mut row = 0;
    while row < ALL {
        rows[places[row]] = row;
        row += 1;
    }
    rows
}

impl Filters for StridedFilters {
    const VALUES: usize = VALUES;

    #[inline(always)]
    fn taps<S: Simd>(s: S, g: [S::Lanes; 3]) -> [S::Lanes; ROOM] {
        taps(s, g)
    }

    #[inline(always)]
    fn taps_adjoint<S: Simd>(s: S, u: [S::Lanes; ROOM]) -> [S::Lanes; 3] {
        taps_adjoint(s, u)
    }

    #[inline(always)]
    fn row(&self, y: usize, x: usize) -> usize {
        self.0[y * VALUES + x]
    }
}
