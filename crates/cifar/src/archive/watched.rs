//! The unpacked bytes, seen past the tar reader that owns their decoder.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// What the decoder has given so far.
#[derive(Default)]
pub(super) struct Progress {
    /// Bytes unpacked.
    pub(super) offset: Cell<u64>,
    /// Whether they have come to an end, rightly or because the file is cut.
    pub(super) ended: Cell<bool>,
    /// Whether the decoder found the file cut or damaged.
    pub(super) failed: Cell<bool>,
}

pub(super) struct Watched<R> {
    pub(super) inner: R,
    pub(super) progress: Rc<Progress>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        match &result {
            Ok(0) if !buffer.is_empty() => self.progress.ended.set(true),
            Ok(n) => self.progress.offset.set(self.progress.offset.get() + *n as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.progress.failed.set(true);
                self.progress.ended.set(error.kind() == io::ErrorKind::UnexpectedEof);
            }
        }
        result
    }
}
