//! The gradient of the maximum of each window.

mod any;
mod apart;

use super::sizes;
use crate::element::Element;
use crate::fused::write::SharedSink;
use crate::fused::{Sink, Source};
use crate::pooling::Pool2dShape;

/// [`max_pool2d_gradient`](super::max_pool2d_gradient) of checked arguments.
pub(in crate::fused) fn gradient<E: Element>(s: &Pool2dShape, dy: Source<E>, indices: &[u8], dx: Sink<E>) {
    let sink = SharedSink::new(dx);
    if sizes(s).0.len() == 0 {
        return;
    }
    if s.kernel <= s.stride && s.stride <= apart::MOST_STRIDE {
        apart::run(s, dy, indices, &sink);
    } else {
        any::run(s, dy, indices, &sink);
    }
}
