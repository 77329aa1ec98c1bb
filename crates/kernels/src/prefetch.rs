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

const LINE: usize = 64;

impl<const N: usize> Ahead<N> {
    /// Nothing.
    pub(crate) fn nothing() -> Self {
        let part = Part { next: std::ptr::null(), left: 0, runs: 0, run: 0, gap: 0 };
        Self { parts: [part; N], part: 0, at_once: 0, every: usize::MAX }
    }

    /// Adds a part, given by its beginning and its length, if there is room for it.
    pub(crate) fn add<T>(&mut self, start: *const T, len: usize) {
        self.add_rows(start, len, len, 1);
    }

    /// Adds `rows` rows of `len` values each, `pitch` values from one to the next, if there is room for them.
    pub(crate) fn add_rows<T>(&mut self, start: *const T, len: usize, pitch: usize, rows: usize) {
        let run = (len * size_of::<T>()).div_ceil(LINE);
        let free = self.parts.iter_mut().find(|part| part.left == 0).filter(|_| run * rows > 0);
        if let Some(free) = free {
            let gap = (pitch * size_of::<T>()).wrapping_sub(run * LINE);
            *free = Part { next: start.cast(), left: run, runs: rows - 1, run, gap };
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
