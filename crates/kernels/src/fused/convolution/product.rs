//! Matrix products of blocks that lie in a core's cache.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;

use crate::element::Element;
use crate::fused::Write;
use crate::isa::{Kernel, dispatch};
use crate::prefetch::Ahead;
use crate::simd::{LANES, Simd};

/// Parts of memory that are fetched while products are computed: what a sink writes and reads, and a source.
pub(super) const AHEAD: usize = 6;

/// Steps that a product of `rows` rows and `depth` steps takes: each block of rows and columns takes them all.
pub(super) fn steps<E: Element>(rows: usize, depth: usize) -> usize {
    let [most, wide] = dispatch(Registers(PhantomData::<E>));
    rows.div_ceil(most) * (COLUMNS / (wide * LANES)) * depth
}

/// Asks for the block that the registers hold.
struct Registers<E>(PhantomData<E>);

impl<E: Element> Kernel for Registers<E> {
    type Output = [usize; 2];
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> [usize; 2] {
        E::block::<S>()
    }
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
    ahead.begin(steps::<E>(rows, depth));
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
    fn run<S: Simd>(mut self, s: S) {
        let Self { rows, depth, left, right, ref place, .. } = self;
        if rows == 0 {
            return;
        }
        let last = depth.saturating_sub(1);
        assert!(place.data.len() >= (rows - 1) * place.row + COLUMNS, "a product beyond its place");
        assert!(
            left.data.len() >= ((rows - 1) * left.row + last * left.step + 1) * E::PAIR,
            "a left operand beyond its slice"
        );
        assert!(
            right.data.len() >= (last * right.step + COLUMNS) * E::PAIR,
            "a right operand beyond its slice"
        );
        let [most, wide] = E::block::<S>();
        // Blocks of nearly the same number of rows: a last one of few would keep the multipliers waiting for operands.
        let blocks = rows.div_ceil(most);
        let block = |number: usize| rows * number / blocks..rows * (number + 1) / blocks;
        let segments = (0..depth.max(1)).step_by(SEGMENT);
        if wide * LANES == COLUMNS {
            for number in 0..blocks {
                for first in segments.clone() {
                    // SAFETY: a block's rows are below `rows`, a segment's first step is at most `last`.
                    unsafe { self.block(s, block(number), 0, first) };
                }
            }
        } else {
            // Some columns of a segment of the right operand stay in the nearest cache: there all rows meet them.
            for column in (0..COLUMNS).step_by(wide * LANES) {
                for first in segments.clone() {
                    for number in 0..blocks {
                        // SAFETY: as above; the column is one of `COLUMNS`.
                        unsafe { self.block(s, block(number), column, first) };
                    }
                }
            }
        }
    }
}

impl<E: Element> Product<'_, E> {
    /// The sums of some rows, of the columns from `column` on that fit into the registers, over the segment from step `first` on.
    ///
    /// # Safety
    /// The rows are there, `first` is a step or 0, `column` is one of [`COLUMNS`], and [`Kernel::run`]'s assertions hold.
    #[inline(always)]
    unsafe fn block<S: Simd>(&mut self, s: S, rows: Range<usize>, column: usize, first: usize) {
        let Self { depth, left, right, ref mut place, .. } = *self;
        // SAFETY: of the whole block: the caller's promise, by which all of these lie within the slices.
        unsafe {
            let at = Block {
                depth: SEGMENT.min(depth - first),
                left: left.data.as_ptr().add((rows.start * left.row + first * left.step) * E::PAIR),
                left_row: left.row * E::PAIR,
                left_step: left.step * E::PAIR,
                right: right.data.as_ptr().add((first * right.step + column) * E::PAIR),
                right_step: right.step * E::PAIR,
                to: place.data.as_mut_ptr().add(rows.start * place.row + column),
                to_row: place.row,
                write: if first == 0 { place.write } else { Write::Add },
            };
            at.rows(s, rows.len(), self.ahead);
        }
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
                    // SAFETY: the caller's promise.
                    $($rows => unsafe {
                        if $rows > E::block::<S>()[0] {
                            unreachable!("more rows than the registers hold")
                        } else if E::block::<S>()[1] == 2 {
                            self.sums::<S, $rows, 2>(s, ahead);
                        } else {
                            self.sums::<S, $rows, 1>(s, ahead);
                        }
                    },)*
                    _ => unreachable!("a block has at most 14 rows"),
                }
            };
        }
        one_of!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
    }

    /// # Safety
    /// As [`rows`](Self::rows), for `ROWS` rows and `16 · WIDE` columns.
    #[inline(always)]
    unsafe fn sums<S: Simd, const ROWS: usize, const WIDE: usize>(&self, s: S, ahead: &mut Ahead<AHEAD>) {
        let mut sums = [[s.splat(0.0); WIDE]; ROWS];
        // SAFETY: of the whole block: the caller's promise, place by place.
        unsafe {
            let (mut left, mut right) = (self.left, self.right);
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
                    let to = &mut *self.to.add(i * self.to_row + j * LANES).cast();
                    let sum = if self.write == Write::Add { s.add(*sum, s.load(to)) } else { *sum };
                    s.store(sum, to);
                }
            }
        }
    }
}
