//! Buffers that a thread keeps between calls: mapping fresh pages costs more than the arithmetic done on them.
#![allow(unsafe_code)]

use std::cell::RefCell;

use half::bf16;

use crate::huge_pages;

/// A cache line, so that buffers begin with one.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "there for its size")] [u32; 16]);

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// A type whose values are any bits.
///
/// # Safety
/// Every bit pattern is a value, of at most 64 bytes; the alignment divides 64.
pub unsafe trait Bits: Copy {}
// SAFETY: numbers without invalid patterns.
unsafe impl Bits for f32 {}
// SAFETY: as above.
unsafe impl Bits for bf16 {}

/// Calls `f` with `len` values of arbitrary content, the first at the beginning of a cache line. May be nested, also through
/// work that rayon steals meanwhile: the buffer is taken out of the thread's store for the time of the call.
pub(crate) fn with<T: Bits, R>(len: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    let lines = (len * size_of::<T>()).div_ceil(size_of::<Line>());
    // The smallest buffer that is large enough, else the largest: each use tends to find its own again.
    let mut buffer = BUFFERS.with_borrow_mut(|buffers| {
        let fitting =
            buffers.iter().enumerate().filter(|(_, b)| b.len() >= lines).min_by_key(|(_, b)| b.len());
        let chosen = fitting.or_else(|| buffers.iter().enumerate().max_by_key(|(_, b)| b.len()));
        chosen.map(|(i, _)| i).map(|i| buffers.swap_remove(i)).unwrap_or_default()
    });
    if buffer.len() < lines {
        drop(buffer); // nothing in it is worth copying, or keeping meanwhile
        buffer = huge_pages::vec(Line([0; 16]), lines);
    }
    // SAFETY: `lines` lines hold `len` values, aligned; all bits are values (`Bits`), and the lines are initialised.
    let values = unsafe { std::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast::<T>(), len) };
    let result = f(values);
    BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    result
}
