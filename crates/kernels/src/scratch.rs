//! Buffers that a thread keeps between calls: mapping fresh pages costs more than the arithmetic done on them.

use std::cell::RefCell;

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `len` floats of arbitrary content. May be nested, also through work that rayon steals meanwhile: the
/// buffer is taken out of the thread's store for the time of the call.
pub(crate) fn with<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    // The smallest buffer that is large enough, else the largest: each use tends to find its own again.
    let mut buffer = BUFFERS.with_borrow_mut(|buffers| {
        let fitting = buffers.iter().enumerate().filter(|(_, b)| b.len() >= len).min_by_key(|(_, b)| b.len());
        let chosen = fitting.or_else(|| buffers.iter().enumerate().max_by_key(|(_, b)| b.len()));
        chosen.map(|(i, _)| i).map(|i| buffers.swap_remove(i)).unwrap_or_default()
    });
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    let result = f(&mut buffer[..len]);
    BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    result
}
