//! One slice for several threads.
#![allow(unsafe_code)]

use std::marker::PhantomData;

/// A slice that several threads write to at the same time, each to places of its own.
#[derive(Debug)]
pub(crate) struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    of: PhantomData<&'a mut [T]>,
}

// SAFETY: all access goes through `part`, whose callers promise that no two parts in use overlap; `T` may be sent.
unsafe impl<T: Send> Sync for Shared<'_, T> {}
// SAFETY: as for a `&mut [T]`.
unsafe impl<T: Send> Send for Shared<'_, T> {}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), of: PhantomData }
    }

    /// The `len` values from `at` on.
    ///
    /// # Panics
    /// They are not within the slice.
    ///
    /// # Safety
    /// While the result is in use, no other part that overlaps it is.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn part(&self, at: usize, len: usize) -> &mut [T] {
        assert!(at <= self.len && len <= self.len - at, "a part beyond its slice");
        // SAFETY: within the slice, as just asserted; the caller promises that nobody else uses it.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), len) }
    }

    /// Where it begins.
    pub(crate) fn start(&self) -> *const T {
        self.start
    }

    /// Values of the slice.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// As [`part`](Self::part), unchecked.
    ///
    /// # Safety
    /// As there, and `at + len` is at most the slice's length.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn part_unchecked(&self, at: usize, len: usize) -> &mut [T] {
        debug_assert!(at + len <= self.len);
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), len) }
    }
}
