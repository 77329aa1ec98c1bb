//! Matrix products of blocks that lie in a core's cache.
#![allow(unsafe_code)]

use crate::element::Element;
use crate::fused::Write;
use crate::isa::{Kernel, dispatch};
use crate::prefetch::Ahead;
use crate::simd::{LANES, Simd};

/// Parts of memory that are fetched while products are computed: what a sink writes and reads, and a source.
pub(super) const AHEAD: usize = 6;

/// Steps that a product of `rows` rows and `depth` steps takes: each block of rows takes them all.
pub(super) fn steps(rows: usize, depth: usize) -> usize {
    rows.div_ceil(14) * depth
}

/// Columns of every product: two registers of AVX-512.
pub(super) const COLUMNS: usize = 2 * LANES;

/// Steps that are summed one after another: sums of these are added up. The error of a long sum grows with its terms.
const SEGMENT: usize = 256;

/// A left operand: the factor of row `i` and step `k` is number `i·row + k·step` of `data`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a, E> {
    pub(super) data: &'a [E],
    pub(super) row: usize,
    pub(super) step: usize,
}

/// A right operand: the factors of step `k` are the [`COLUMNS`] from number `k·step` of `data` on.
#[derive(Clone, Copy)]
pub(super) struct Right<'a, E> {
    pub(super) data: &'a [E],
    pub(super) step: usize,
}

/// Where a product goes: row `i` to the [`COLUMNS`] values from `i·row` on.
pub(super) struct Place<'a> {
    pub(super) data: &'a mut [f32],
    pub(super) row: usize,
    pub(super) write: Write,
}

/// `place[i] = (+) Σ_k left(i, k) · right(k)` for `rows` rows and `depth` steps. Meanwhile asks for its share of what is `ahead`.
pub(super) fn product<E: Element>(
    rows: usize,
    depth: usize,
    left: Left<E>,
    right: Right<E>,
    place: Place,
    ahead: &mut Ahead<AHEAD>,
) {
    ahead.begin(steps(rows, depth));
    dispatch(Product { rows, depth, left, right, place, ahead: &mut *ahead });
    ahead.end();
}

struct Product<'a, E> {
    rows: usize,
    depth: usize,
    left: Left<'a, E>,
    right: Right<'a, E>,
    place: Place<'a>,
    ahead: &'a mut Ahead<AHEAD>,
}

impl<E: Element> Kernel for Product<'_, E> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        multiply(s, self);
    }
}

#[inline(always)]
fn multiply<S: Simd, E: Element>(s: S, Product { rows, depth, left, right, place, ahead }: Product<E>) {
    if rows == 0 {
        return;
    }
    let last = depth.saturating_sub(1);
    assert!(place.data.len() >= (rows - 1) * place.row + COLUMNS, "a product beyond its place");
    assert!(
        left.data.len() >= ((rows - 1) * left.row + last * left.step + 1) * E::PAIR,
        "a left operand beyond its slice"
    );
    assert!(right.data.len() >= (last * right.step + COLUMNS) * E::PAIR, "a right operand beyond its slice");
    let [most, _] = S::BLOCK;
    // Blocks of nearly the same number of rows: a last one of few would keep the multipliers waiting for operands.
    let blocks = rows.div_ceil(most);
    let mut first = 0;
    for block in 0..blocks {
        let end = rows * (block + 1) / blocks;
        for done in (0..depth.max(1)).step_by(SEGMENT) {
            let at = Block {
                depth: SEGMENT.min(depth - done),
                // SAFETY: row `first` is below `rows` and step `done` at most `last`, so these lie within the slices, as
                // asserted above.
                left: unsafe { left.data.as_ptr().add((first * left.row + done * left.step) * E::PAIR) },
                left_row: left.row * E::PAIR,
                left_step: left.step * E::PAIR,
                // SAFETY: as above.
                right: unsafe { right.data.as_ptr().add(done * right.step * E::PAIR) },
                right_step: right.step * E::PAIR,
                // SAFETY: as above.
                to: unsafe { place.data.as_mut_ptr().add(first * place.row) },
                to_row: place.row,
                write: if done == 0 { place.write } else { Write::Add },
            };
            // SAFETY: `end ≤ rows`: all that the block reads and writes was asserted to lie within its slice.
            unsafe { at.rows(s, end - first, ahead) };
        }
        first = end;
    }
}

/// Some rows of a product.
struct Block<E> {
    depth: usize,
    left: *const E,
    left_row: usize,
    left_step: usize,
    right: *const E,
    right_step: usize,
    to: *mut f32,
    to_row: usize,
    write: Write,
}

impl<E: Element> Block<E> {
    /// # Safety
    /// `rows` rows of the operands and the place are within their slices, and nobody else uses the place.
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, s: S, rows: usize, ahead: &mut Ahead<AHEAD>) {
        macro_rules! one_of {
            ($($rows:literal)*) => {
                match rows {
                    // SAFETY: the caller's promise; the columns are the first or the second sixteen.
                    $($rows => unsafe {
                        if S::BLOCK[1] == 2 {
                            self.block::<S, $rows, 2>(s, 0, ahead);
                        } else if $rows <= S::BLOCK[0] {
                            self.block::<S, $rows, 1>(s, 0, ahead);
                            self.block::<S, $rows, 1>(s, LANES, ahead);
                        }
                    },)*
                    _ => unreachable!("a block has at most 14 rows"),
                }
            };
        }
        one_of!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
    }

    /// # Safety
    /// As [`rows`](Self::rows), for `ROWS` rows and `16 · WIDE` columns from `column` on.
    #[inline(always)]
    unsafe fn block<S: Simd, const ROWS: usize, const WIDE: usize>(
        &self,
        s: S,
        column: usize,
        ahead: &mut Ahead<AHEAD>,
    ) {
        let mut sums = [[s.splat(0.0); WIDE]; ROWS];
        // SAFETY: of the whole block: the caller's promise, place by place.
        unsafe {
            let (mut left, mut right) = (self.left, self.right.add(column * E::PAIR));
            let mut done = 0;
            while done < self.depth {
                let some = ahead.every().min(self.depth - done);
                for _ in 0..some {
                    let mut b = [E::load_factors(s, right); WIDE];
                    for (j, b) in b.iter_mut().enumerate().skip(1) {
                        *b = E::load_factors(s, right.add(j * LANES * E::PAIR));
                    }
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let a = E::splat_factor(s, left.add(i * self.left_row));
                        for (sum, b) in sums.iter_mut().zip(b) {
                            *sum = E::multiply(s, *sum, a, b);
                        }
                    }
                    left = left.wrapping_add(self.left_step);
                    right = right.wrapping_add(self.right_step);
                }
                ahead.ask();
                done += some;
            }
            for (i, sums) in sums.iter().enumerate() {
                for (j, sum) in sums.iter().enumerate() {
                    let to = &mut *self.to.add(i * self.to_row + column + j * LANES).cast();
                    let sum = if self.write == Write::Add { s.add(*sum, s.load(to)) } else { *sum };
                    s.store(sum, to);
                }
            }
        }
    }
}
