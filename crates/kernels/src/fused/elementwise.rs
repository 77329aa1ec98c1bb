//! Passes that compute nothing but what sources and sinks do.
#![allow(unsafe_code)]

use std::ops::Range;

use rayon::prelude::*;

use super::read::{Channels, Reader, WithReader};
use super::write::{SharedSink, WithWriter, Writer};
use super::{Sink, Source};
use crate::element::Element;
use crate::error::{ShapeError, volume};
use crate::isa::{Kernel, dispatch};
use crate::prefetch::{Ahead, Region};
use crate::simd::{LANES, Simd};

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
/// There cannot be so many values, or a slice's length does not follow from `extent`.
pub fn combine<E: Element>(extent: Extent, terms: &[Source<E>], sink: Sink<E>) -> Result<(), ShapeError> {
    const OP: &str = "combine";
    let sizes = extent.sizes();
    volume(OP, "y", &sizes)?;
    terms.iter().try_for_each(|term| term.check(OP, "x", sizes))?;
    sink.check(OP, "y", sizes)?;
    E::combine(extent, terms, sink);
    Ok(())
}

/// [`combine`] of checked arguments.
pub(super) fn run<E: Element>(extent: Extent, terms: &[Source<E>], sink: Sink<E>) {
    let sink = SharedSink::new(sink); // its sums at zero, also where there are no pixels
    if extent.len() == 0 {
        return;
    }
    let images = at_once(extent);
    (0..extent.images.div_ceil(images)).into_par_iter().for_each(|i| {
        let images = i * images..((i + 1) * images).min(extent.images);
        dispatch(Combine { extent, images, terms, sink: &sink });
    });
}

/// Images of one piece of work: enough pixels that starting it does not matter. Whole ones, since sums are per image.
pub(super) fn at_once(extent: Extent) -> usize {
    const VALUES: usize = 64 * 1024;
    (VALUES / (extent.pixels * extent.channels).max(1)).max(1)
}

/// Pixels between a source and a sink at a time: sixteen channels of them stay in the first cache.
const PIXELS: usize = 64;

/// The values of `count` pixels from number `first` on.
pub(super) fn pixels_of(extent: Extent, first: usize, count: usize) -> Region {
    Region::run(first * extent.channels, count * extent.channels)
}

/// How many pixels a pass works on after those before number `end` of an image, at most `most`: of this image, or of the next.
pub(super) fn count_after(extent: Extent, end: usize, most: usize) -> usize {
    let left = extent.pixels - end;
    most.min(if left > 0 { left } else { extent.pixels })
}

struct Combine<'a, 'b, E> {
    extent: Extent,
    images: Range<usize>,
    terms: &'a [Source<'b, E>],
    sink: &'a SharedSink<'b, E>,
}

impl<E: Element> Kernel for Combine<'_, '_, E> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { extent, images, terms, sink } = self;
        for image in images {
            for first in (0..extent.pixels).step_by(PIXELS) {
                let count = PIXELS.min(extent.pixels - first);
                let end = first + count;
                let next = pixels_of(extent, image * extent.pixels + end, count_after(extent, end, PIXELS));
                let mut ahead = Ahead::nothing();
                terms.iter().for_each(|term| term.ahead(&next, &mut ahead));
                sink.ahead(&next, &mut ahead);
                let mut ahead = ahead.in_steps(count * sixteens(extent.channels).count());
                for channels in sixteens(extent.channels) {
                    let pixels = Pixels { first: image * extent.pixels + first, channels };
                    let mut sums = [s.splat(0.0); PIXELS];
                    for term in terms {
                        term.reader(s, image, channels, AddTo { pixels, sums: &mut sums[..count] });
                    }
                    // SAFETY: a task has its images to itself.
                    unsafe {
                        let values = &sums[..count];
                        sink.writer(s, image, channels, WriteEach { pixels, values, ahead: &mut ahead });
                    }
                }
            }
        }
    }
}

/// Some channels of consecutive pixels.
#[derive(Clone, Copy)]
pub(super) struct Pixels {
    pub(super) first: usize,
    pub(super) channels: Channels,
}

impl Pixels {
    #[inline(always)]
    pub(super) fn at(&self, pixel: usize) -> usize {
        (self.first + pixel) * self.channels.of + self.channels.first
    }
}

/// Adds each pixel's value.
pub(super) struct AddTo<'a, L> {
    pub(super) pixels: Pixels,
    pub(super) sums: &'a mut [L],
}

impl<S: Simd> WithReader<S> for AddTo<'_, S::Lanes> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { pixels, sums } = self;
        assert!(
            pixels.at(sums.len() - 1) + pixels.channels.lanes <= reader.len(),
            "pixels beyond their tensor"
        );
        let whole = pixels.channels.lanes == LANES;
        for (i, sum) in sums.iter_mut().enumerate() {
            let at = pixels.at(i);
            // SAFETY: not beyond the last pixel, which was asserted to be within the tensor.
            let value = unsafe { if whole { reader.read(s, at) } else { reader.read_some(s, at) } };
            *sum = s.add(*sum, value);
        }
    }
}

/// Parts of memory that a pass asks for: those of two terms, a pool's indices, and what a sink reads and writes. What is beyond
/// is not asked for.
const AHEAD: usize = 8;

/// What a pass asks for while it computes.
pub(super) type AheadOfPass = Ahead<AHEAD>;

/// Writes each pixel's value. Meanwhile asks for its share of what is `ahead`.
pub(super) struct WriteEach<'a, L> {
    pub(super) pixels: Pixels,
    pub(super) values: &'a [L],
    pub(super) ahead: &'a mut AheadOfPass,
}

impl<S: Simd> WithWriter<S> for WriteEach<'_, S::Lanes> {
    #[inline(always)]
    fn with<W: Writer<S>>(self, s: S, writer: &mut W) {
        let Self { pixels, values, ahead } = self;
        assert!(
            pixels.at(values.len() - 1) + pixels.channels.lanes <= writer.len(),
            "pixels beyond their tensor"
        );
        ahead.begin(values.len());
        let mut i = 0;
        for some in values.chunks(ahead.every()) {
            for value in some {
                // SAFETY: as in `AddTo`.
                unsafe { writer.write(s, pixels.at(i), *value) };
                i += 1;
            }
            ahead.ask();
        }
    }
}

/// The first channel of each sixteen.
#[inline(always)]
pub(super) fn sixteens(channels: usize) -> impl Iterator<Item = Channels> {
    (0..channels).step_by(LANES).map(move |first| Channels::from(first, channels))
}
