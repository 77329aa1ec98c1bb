//! Asking for memory before it is needed.
#![allow(unsafe_code)]

/// Memory that will be needed soon, asked for line by line while something else is computed. Many at once would keep the core
/// waiting: it has room for some two dozen requests.
///
/// What is far ahead is dealt to all steps of a long computation, what is near to those of its next part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ahead<const N: usize> {
    far: Parts<N>,
    near: Parts<2>,
    /// Steps of the computation that are left.
    steps: usize,
    /// Lines from far ahead to be asked for by the part at hand.
    share: usize,
    /// Lines asked for at once.
    at_once: usize,
    /// Steps from one such request to the next.
    every: usize,
}

/// Some runs of lines, one after another.
#[derive(Debug, Clone, Copy)]
struct Parts<const N: usize> {
    parts: [Part; N],
    /// The first part that has some left.
    part: usize,
    /// Lines left of all parts.
    lines: usize,
}

/// Runs of lines, equally far apart.
#[derive(Debug, Clone, Copy)]
struct Part {
    next: *const u8,
    /// Lines left of this run.
    left: usize,
    /// Runs after this one.
    runs: usize,
    /// Lines of a run.
    run: usize,
    /// Bytes from the end of a run to the next one's beginning.
    gap: usize,
}

/// Values of a tensor: runs of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Region {
    /// Where the first run begins.
    pub(crate) first: usize,
    /// Values of a run.
    pub(crate) len: usize,
    /// From a run's beginning to the next one's.
    pub(crate) step: usize,
    pub(crate) runs: usize,
}

impl Region {
    /// Values in a row.
    pub(crate) fn run(first: usize, len: usize) -> Self {
        Self { first, len, step: len, runs: 1 }
    }
}

/// Bytes of a cache line.
pub(crate) const LINE: usize = 64;

impl<const N: usize> Parts<N> {
    fn nothing() -> Self {
        let part = Part { next: std::ptr::null(), left: 0, runs: 0, run: 0, gap: 0 };
        Self { parts: [part; N], part: 0, lines: 0 }
    }

    fn add<T>(&mut self, x: *const T, len: usize, region: &Region) {
        let Region { first, len: run, step, runs } = *region;
        let runs = runs.min(len.saturating_sub(first).div_ceil(step.max(1)));
        let run = if runs == 1 { run.min(len - first) } else { run };
        let free = self.parts.iter_mut().find(|part| part.left == 0).filter(|_| run * runs > 0);
        if let Some(free) = free {
            let lines = (run * size_of::<T>()).div_ceil(LINE);
            let gap = (step * size_of::<T>()).wrapping_sub(lines * LINE);
            let next = x.wrapping_add(first).cast();
            *free = Part { next, left: lines, runs: runs - 1, run: lines, gap };
            self.lines += lines * runs;
        }
    }

    /// The next line.
    #[inline(always)]
    fn next(&mut self) -> Option<*const u8> {
        let part = self.parts.get_mut(self.part)?;
        let line = part.next;
        part.next = line.wrapping_add(LINE);
        part.left = part.left.saturating_sub(1);
        if part.left == 0 {
            if part.runs == 0 {
                self.part += 1;
            } else {
                (part.runs, part.left) = (part.runs - 1, part.run);
                part.next = part.next.wrapping_add(part.gap);
            }
        }
        self.lines = self.lines.checked_sub(1)?;
        Some(line)
    }
}

impl<const N: usize> Ahead<N> {
    /// Nothing.
    pub(crate) fn nothing() -> Self {
        Self {
            far: Parts::nothing(),
            near: Parts::nothing(),
            steps: 0,
            share: 0,
            at_once: 0,
            every: usize::MAX,
        }
    }

    /// Adds a region of the `len` values from `x` on, as far as it lies within, if there is room for it.
    pub(crate) fn add<T>(&mut self, x: *const T, len: usize, region: &Region) {
        self.far.add(x, len, region);
    }

    /// Deals what was added to `steps` steps of the computation.
    pub(crate) fn in_steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Adds what a part soon after the next will need, as [`add`](Self::add) does.
    pub(crate) fn add_near<T>(&mut self, x: &[T], region: &Region) {
        self.near.add(x.as_ptr(), x.len(), region);
    }

    /// Begins a part of so many steps: a product, or a run of pixels.
    pub(crate) fn begin(&mut self, steps: usize) {
        self.share = if steps < self.steps { self.far.lines * steps / self.steps } else { self.far.lines };
        self.steps = self.steps.saturating_sub(steps);
        let lines = self.share + self.near.lines;
        self.at_once = lines.div_ceil(steps.max(1));
        self.every = (steps * self.at_once).checked_div(lines).unwrap_or(usize::MAX);
    }

    /// Ends it: what was not asked for is needed now.
    pub(crate) fn end(&mut self) {
        self.near = Parts::nothing();
    }

    /// Steps of the computation from one call of [`ask`](Self::ask) to the next.
    #[inline(always)]
    pub(crate) fn every(&self) -> usize {
        self.every
    }

    /// Asks for the next lines, into the second-level cache.
    #[inline(always)]
    pub(crate) fn ask(&mut self) {
        for _ in 0..self.at_once {
            let Some(next) = self.next() else { return };
            prefetch::<SECOND>(next);
        }
    }

    #[inline(always)]
    fn next(&mut self) -> Option<*const u8> {
        if self.near.lines > 0 {
            return self.near.next();
        }
        self.share = self.share.checked_sub(1)?;
        self.far.next()
    }
}

/// Asks for the line of value number `at`, if there is one, into the nearest cache.
#[inline(always)]
pub(crate) fn line<T>(values: &[T], at: usize) {
    prefetch::<NEAREST>(values.as_ptr().wrapping_add(at).cast());
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0 as NEAREST, _MM_HINT_T1 as SECOND, _mm_prefetch};

/// Asks for a line, wherever it is.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch<const INTO: i32>(line: *const u8) {
    // SAFETY: SSE is in every x86-64; a prefetch reads nothing and does not fault, wherever it points.
    unsafe { _mm_prefetch::<INTO>(line.cast()) }
}

#[cfg(not(target_arch = "x86_64"))]
const NEAREST: i32 = 0;
#[cfg(not(target_arch = "x86_64"))]
const SECOND: i32 = 1;

/// There is no way to ask.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn prefetch<const INTO: i32>(_: *const u8) {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines asked for, from `base` on, by products of `steps` steps each.
    fn asked<const N: usize>(ahead: &mut Ahead<N>, products: &[usize], base: *const f32) -> Vec<Vec<usize>> {
        let lines = products.iter().map(|&steps| {
            ahead.begin(steps);
            let mut lines = Vec::new();
            let mut done = 0;
            while done < steps {
                done += ahead.every().min(steps - done);
                lines.extend((0..ahead.at_once).map_while(|_| ahead.next()));
            }
            ahead.end();
            lines.into_iter().map(|line| (line.addr() - base.addr()) / LINE).collect()
        });
        lines.collect()
    }

    #[test]
    fn every_line_of_every_run_is_asked_for_once() {
        let values = vec![0.0f32; 64 * 16]; // 64 lines, though not aligned
        let mut ahead = Ahead::<3>::nothing();
        // Lines 2..4, 10..12, 18..20; 30..37; and 60..64 of the 60..70 wanted, some of which are not there.
        for (first, len, step, runs) in [(2, 2, 8, 3), (30, 7, 7, 1), (60, 10, 10, 1), (0, 1, 1, 1)] {
            let region = Region { first: first * 16, len: len * 16, step: step * 16, runs };
            ahead.add(values.as_ptr(), values.len(), &region);
        }
        let expected: Vec<usize> = [2, 3, 10, 11, 18, 19].into_iter().chain(30..37).chain(60..64).collect();
        for products in [&[4][..], &[5], &[17], &[40], &[1, 3], &[2, 2, 9], &[30, 30, 1]] {
            let mut ahead = ahead.in_steps(products.iter().sum());
            assert_eq!(asked(&mut ahead, products, values.as_ptr()).concat(), expected, "{products:?} steps");
        }
    }

    #[test]
    fn what_is_near_is_asked_for_first_and_by_one_product() {
        let values = vec![0.0f32; 64 * 16];
        let mut ahead = Ahead::<1>::nothing();
        ahead.add(values.as_ptr(), values.len(), &Region::run(0, 4 * 16));
        let mut ahead = ahead.in_steps(8);
        ahead.add_near(&values, &Region::run(20 * 16, 3 * 16));
        assert_eq!(asked(&mut ahead, &[4], values.as_ptr()), [[20, 21, 22, 0, 1]]);
        assert_eq!(asked(&mut ahead, &[4], values.as_ptr()), [[2, 3]]);
    }

    #[test]
    fn nothing_is_asked_for_where_there_is_nothing() {
        let values = [0.0f32; 4];
        let mut ahead = Ahead::<2>::nothing();
        ahead.add(values.as_ptr(), 4, &Region::run(8, 4));
        ahead.add(values.as_ptr(), 4, &Region::run(0, 0));
        assert!(asked(&mut ahead.in_steps(10), &[10], values.as_ptr()).concat().is_empty());
    }
}
