//! Asking for memory before it is needed.
#![allow(unsafe_code)]

/// Memory that will be needed soon, asked for a few lines at a time while something else is computed. All at once would keep
/// the core waiting: it has room for some two dozen requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ahead<const N: usize> {
    /// Beginnings, and lines left.
    parts: [(*const u8, usize); N],
    /// Lines of a step.
    step: usize,
}

const LINE: usize = 64;

impl<const N: usize> Ahead<N> {
    /// Nothing.
    pub(crate) fn nothing() -> Self {
        Self { parts: [(std::ptr::null(), 0); N], step: 0 }
    }

    /// Adds a part, given by its beginning and its length, if there is room for it.
    pub(crate) fn add<T>(&mut self, start: *const T, len: usize) {
        if let Some(free) = self.parts.iter_mut().find(|(_, lines)| *lines == 0) {
            *free = (start.cast(), (len * size_of::<T>()).div_ceil(LINE));
        }
    }

    /// Deals all lines to `steps` steps.
    pub(crate) fn in_steps(mut self, steps: usize) -> Self {
        let lines: usize = self.parts.iter().map(|(_, lines)| lines).sum();
        self.step = lines.div_ceil(steps.max(1));
        self
    }

    /// Asks for the next lines, into the second-level cache.
    #[inline(always)]
    pub(crate) fn step(&mut self) {
        let mut wanted = self.step;
        for (start, left) in &mut self.parts {
            while *left > 0 && wanted > 0 {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: SSE is in every x86-64; a prefetch reads nothing and does not fault, wherever it points.
                unsafe {
                    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
                    _mm_prefetch::<_MM_HINT_T1>(start.cast());
                }
                *start = start.wrapping_add(LINE);
                (*left, wanted) = (*left - 1, wanted - 1);
            }
        }
    }
}
