//! Asking for memory before it is needed.
#![allow(unsafe_code)]

/// Memory that will be needed soon, asked for a few lines at a time while something else is computed. All at once would keep
/// the core waiting: it has room for some two dozen requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ahead<const N: usize> {
    parts: [Part; N],
    /// Lines of a step.
    step: usize,
}

/// Runs of lines.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// What is left of the run at hand.
    run: Run,
    /// Lines of a run.
    len: usize,
    /// Bytes from a run's beginning to the next one's.
    step: usize,
    /// Runs after the one at hand.
    runs: usize,
}

/// Consecutive lines.
#[derive(Debug, Clone, Copy)]
struct Run {
    next: *const u8,
    left: usize,
}

/// The lines of a step: of up to four runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    run: Run,
    then: [Run; 3],
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

const LINE: usize = 64;

impl Run {
    const NONE: Self = Self { next: std::ptr::null(), left: 0 };
}

impl<const N: usize> Ahead<N> {
    /// Nothing.
    pub(crate) fn nothing() -> Self {
        Self { parts: [Part { run: Run::NONE, len: 0, step: 0, runs: 0 }; N], step: 0 }
    }

    /// Adds a region of `x`, as far as it lies within, if there is room for it.
    pub(crate) fn add<T>(&mut self, x: *const T, len: usize, region: &Region) {
        let Region { first, len: run, step, runs } = *region;
        let runs = runs.min(len.saturating_sub(first).div_ceil(step.max(1)));
        let run = if runs <= 1 { run.min(len.saturating_sub(first)) } else { run };
        if run == 0 || runs == 0 {
            return;
        }
        if let Some(free) = self.parts.iter_mut().find(|part| part.run.left == 0) {
            let len = (run * size_of::<T>()).div_ceil(LINE);
            let run = Run { next: x.wrapping_add(first).cast(), left: len };
            *free = Part { run, len, step: step * size_of::<T>(), runs: runs - 1 };
        }
    }

    /// Deals all lines to `steps` steps.
    pub(crate) fn in_steps(mut self, steps: usize) -> Self {
        let lines: usize = self.parts.iter().map(|part| part.run.left + part.runs * part.len).sum();
        self.step = lines.div_ceil(steps.max(1));
        self
    }

    /// The lines of the next step.
    #[inline(always)]
    pub(crate) fn step(&mut self) -> Lines {
        let (mut wanted, mut taken, mut runs) = (self.step, [Run::NONE; 4], 0);
        for Part { run, len, step, runs: more } in &mut self.parts {
            while run.left > 0 && wanted > 0 && runs < taken.len() {
                let these = Run { left: run.left.min(wanted), ..*run };
                taken[runs] = these;
                runs += 1;
                wanted -= these.left;
                run.next = run.next.wrapping_add(these.left * LINE);
                run.left -= these.left;
                if run.left == 0 && *more > 0 {
                    let next = run.next.wrapping_sub(*len * LINE).wrapping_add(*step);
                    *run = Run { next, left: *len };
                    *more -= 1;
                }
            }
        }
        let [run, then @ ..] = taken;
        Lines { run, then }
    }
}

impl Lines {
    /// How many they are.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.run.left + self.then.iter().map(|run| run.left).sum::<usize>()
    }

    /// Asks for the next `count` lines, as far as there are some, into the second-level cache.
    #[inline(always)]
    pub(crate) fn ask(&mut self, count: usize) {
        for _ in 0..count {
            if self.run.left == 0 {
                let [first, second, third] = self.then;
                (self.run, self.then) = (first, [second, third, Run::NONE]);
                if self.run.left == 0 {
                    return;
                }
            }
            #[cfg(target_arch = "x86_64")]
            // SAFETY: SSE is in every x86-64; a prefetch reads nothing and does not fault, wherever it points.
            unsafe {
                use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
                _mm_prefetch::<_MM_HINT_T1>(self.run.next.cast());
            }
            self.run.next = self.run.next.wrapping_add(LINE);
            self.run.left -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_ask_for_every_line_of_every_run_once() {
        let values = vec![0.0f32; 64 * 16]; // 64 lines, though not aligned
        let line = |next: *const u8| (next as usize - values.as_ptr() as usize) / LINE;
        let mut ahead = Ahead::<3>::nothing();
        // Lines 2..4, 10..12, 18..20; 30..37; and 60..64 of the 60..70 wanted, some of which are not there.
        for (first, len, step, runs) in [(2, 2, 8, 3), (30, 7, 7, 1), (60, 10, 10, 1), (0, 1, 1, 1)] {
            let region = Region { first: first * 16, len: len * 16, step: step * 16, runs };
            ahead.add(values.as_ptr(), values.len(), &region);
        }
        let expected: Vec<usize> = [2, 3, 10, 11, 18, 19].into_iter().chain(30..37).chain(60..64).collect();
        for steps in [4, 5, 17, 40] {
            let (mut ahead, mut asked) = (ahead.in_steps(steps), Vec::new());
            for _ in 0..steps {
                let mut lines = ahead.step();
                while lines.len() > 0 {
                    let before = lines.len();
                    let next = if lines.run.left > 0 { lines.run.next } else { lines.then[0].next };
                    asked.push(line(next));
                    lines.ask(1);
                    assert_eq!(lines.len(), before - 1);
                }
            }
            assert_eq!(asked, expected, "{steps} steps");
        }
    }

    #[test]
    fn nothing_is_asked_for_where_there_is_nothing() {
        let mut ahead = Ahead::<2>::nothing();
        ahead.add([0.0f32; 4].as_ptr(), 4, &Region { first: 8, len: 4, step: 4, runs: 1 });
        ahead.add([0.0f32; 4].as_ptr(), 4, &Region { first: 0, len: 0, step: 0, runs: 1 });
        let mut lines = ahead.in_steps(0).step();
        lines.ask(3);
        assert_eq!(lines.len(), 0);
    }
}
