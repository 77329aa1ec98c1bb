//! Asking for memory before it is needed.
#![allow(unsafe_code)]

/// Memory that will be needed soon, asked for line by line while something else is computed. Many at once would keep the core
/// waiting: it has room for some two dozen requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ahead<const N: usize> {
    parts: [Part; N],
    /// The first part that has some left.
    part: usize,
    /// Lines asked for at once.
    at_once: usize,
    /// Steps of the computation from one such request to the next.
    every: usize,
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

const LINE: usize = 64;

impl<const N: usize> Ahead<N> {
    /// Nothing.
    pub(crate) fn nothing() -> Self {
        let part = Part { next: std::ptr::null(), left: 0, runs: 0, run: 0, gap: 0 };
        Self { parts: [part; N], part: 0, at_once: 0, every: usize::MAX }
    }

    /// Adds a region of the `len` values from `x` on, as far as it lies within, if there is room for it.
    pub(crate) fn add<T>(&mut self, x: *const T, len: usize, region: &Region) {
        let Region { first, len: run, step, runs } = *region;
        let runs = runs.min(len.saturating_sub(first).div_ceil(step.max(1)));
        let run = if runs == 1 { run.min(len - first) } else { run };
        let free = self.parts.iter_mut().find(|part| part.left == 0).filter(|_| run * runs > 0);
        if let Some(free) = free {
            let lines = (run * size_of::<T>()).div_ceil(LINE);
            let gap = (step * size_of::<T>()).wrapping_sub(lines * LINE);
            let next = x.wrapping_add(first).cast();
            *free = Part { next, left: lines, runs: runs - 1, run: lines, gap };
        }
    }

    /// Deals all lines to `steps` steps of the computation.
    pub(crate) fn in_steps(mut self, steps: usize) -> Self {
        let lines: usize = self.parts.iter().map(|part| part.left + part.runs * part.run).sum();
        self.at_once = lines.div_ceil(steps.max(1));
        self.every = (steps * self.at_once).checked_div(lines).unwrap_or(usize::MAX);
        self
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
            let Some(part) = self.parts.get_mut(self.part) else { return };
            #[cfg(target_arch = "x86_64")]
            // SAFETY: SSE is in every x86-64; a prefetch reads nothing and does not fault, wherever it points.
            unsafe {
                use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
                _mm_prefetch::<_MM_HINT_T1>(part.next.cast());
            }
            part.next = part.next.wrapping_add(LINE);
            part.left = part.left.saturating_sub(1);
            if part.left == 0 {
                if part.runs == 0 {
                    self.part += 1;
                } else {
                    (part.runs, part.left) = (part.runs - 1, part.run);
                    part.next = part.next.wrapping_add(part.gap);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines asked for, from `base` on, by each of `steps` steps.
    fn asked<const N: usize>(ahead: Ahead<N>, steps: usize, base: *const f32) -> Vec<usize> {
        let mut ahead = ahead.in_steps(steps);
        let mut lines = Vec::new();
        let mut done = 0;
        while done < steps {
            done += ahead.every().min(steps - done);
            for _ in 0..ahead.at_once {
                let next = ahead.parts.get(ahead.part).map(|part| part.next.addr() - base.addr());
                lines.extend(next.map(|bytes| bytes / LINE));
                let at_once = std::mem::replace(&mut ahead.at_once, 1);
                ahead.ask();
                ahead.at_once = at_once;
            }
        }
        lines
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
        for steps in [4, 5, 17, 40] {
            assert_eq!(asked(ahead, steps, values.as_ptr()), expected, "{steps} steps");
        }
    }

    #[test]
    fn nothing_is_asked_for_where_there_is_nothing() {
        let values = [0.0f32; 4];
        let mut ahead = Ahead::<2>::nothing();
        ahead.add(values.as_ptr(), 4, &Region::run(8, 4));
        ahead.add(values.as_ptr(), 4, &Region::run(0, 0));
        assert!(asked(ahead, 10, values.as_ptr()).is_empty());
        assert_eq!(ahead.in_steps(10).every(), usize::MAX);
    }
}
