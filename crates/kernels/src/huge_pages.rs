//! Large buffers in large pages: with pages of 4 KiB, reading rows far apart misses the address translation's caches.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

use crate::prefetch::LINE;

/// A page of the larger kind.
const HUGE: usize = 2 << 20;

/// A vector of `len` times `value`, its memory in huge pages where it is large and the system has them.
pub fn vec<T: Copy>(value: T, len: usize) -> Vec<T> {
    let mut values = Vec::with_capacity(len);
    prefer(values.spare_capacity_mut());
    values.resize(len, value);
    values
}

/// Values whose first begins a cache line, their memory as that of [`vec()`]: sixteen f32 at a multiple of sixteen are then one
/// line, read and written at once.
#[derive(Debug)]
pub struct Lines<T> {
    values: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Copy> Lines<T> {
    /// `len` times `value`.
    pub fn new(value: T, len: usize) -> Self {
        let most = LINE / size_of::<T>().max(1);
        let values = vec(value, len + most);
        // Where there is no such place, wherever it begins.
        let start = values.as_ptr().align_offset(LINE).min(most);
        Self { values, start, len }
    }
}

impl<T> Deref for Lines<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values[self.start..][..self.len]
    }
}

impl<T> DerefMut for Lines<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..][..self.len]
    }
}

/// Asks for huge pages under memory that was not used yet. A wish: whether it is granted does not matter to what is computed.
fn prefer<T>(memory: &mut [MaybeUninit<T>]) {
    #[cfg(target_os = "linux")]
    {
        let begin = memory.as_ptr().addr();
        let first = begin.next_multiple_of(HUGE);
        let end = (begin + size_of_val(memory)) / HUGE * HUGE;
        if first < end {
            let start = memory.as_mut_ptr().cast::<u8>().wrapping_add(first - begin);
            // SAFETY: the pages from `first` to `end` lie within the memory, which is borrowed for the time of the call; the
            // advice changes neither contents nor addresses.
            unsafe { libc::madvise(start.cast(), end - first, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (memory, HUGE);
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_begin_with_one() {
        for len in [0, 1, 1000, 3 << 20] {
            let mut lines = super::Lines::new(7_f32, len);
            assert!(lines.as_ptr().addr().is_multiple_of(64));
            assert_eq!(*lines, vec![7.0; len]);
            lines.fill(8.0);
            assert_eq!(*lines, vec![8.0; len]);
        }
    }

    #[test]
    fn all_values_are_there() {
        for len in [0, 1, 1000, 3 << 20] {
            assert_eq!(super::vec(7_u16, len), vec![7; len]);
        }
    }
}
