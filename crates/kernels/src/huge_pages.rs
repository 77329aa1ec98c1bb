//! Large buffers in large pages: with pages of 4 KiB, reading rows far apart misses the address translation's caches.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// A page of the larger kind.
const HUGE: usize = 2 << 20;

/// A vector of `len` times `value`, its memory in huge pages where it is large and the system has them.
pub fn vec<T: Copy>(value: T, len: usize) -> Vec<T> {
    let mut values = Vec::with_capacity(len);
    prefer(values.spare_capacity_mut());
    values.resize(len, value);
    values
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
    fn all_values_are_there() {
        for len in [0, 1, 1000, 3 << 20] {
            assert_eq!(super::vec(7_u16, len), vec![7; len]);
        }
    }
}
