//! Passes that compute nothing but what sources and sinks do.

use super::{Sink, Source, reference};
use crate::element::Element;
use crate::error::ShapeError;

/// The sizes of a tensor `(N, H, W, C)` to a pass that does not care where a pixel's neighbours are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// N. May be 0.
    pub images: usize,
    /// H·W.
    pub pixels: usize,
    /// C.
    pub channels: usize,
}

impl Extent {
    pub(crate) fn sizes(&self) -> [usize; 3] {
        [self.images, self.pixels, self.channels]
    }

    pub(crate) fn len(&self) -> usize {
        self.images * self.pixels * self.channels
    }
}

/// Sends the sum of the terms into the sink. Without terms and with [`Write::Add`](super::Write::Add), what is in the
/// sink's place goes through its epilogue.
///
/// # Errors
/// A slice's length does not follow from `extent`.
pub fn combine<E: Element>(extent: Extent, terms: &[Source<E>], sink: Sink<E>) -> Result<(), ShapeError> {
    const OP: &str = "combine";
    let sizes = extent.sizes();
    terms.iter().try_for_each(|term| term.check(OP, "x", sizes))?;
    sink.check(OP, "y", sizes)?;
    E::combine(extent, terms, sink);
    Ok(())
}

/// [`combine`] of checked arguments.
pub(super) fn run<E: Element>(extent: Extent, terms: &[Source<E>], sink: Sink<E>) {
    reference::combine(extent, terms, sink);
}
