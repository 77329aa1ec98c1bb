//! Of any windows: each pixel sums what it gets from those over it.
#![allow(unsafe_code)]

use std::ops::Range;

use rayon::prelude::*;

use crate::element::Element;
use crate::fused::Source;
use crate::fused::elementwise::{Pixels, WriteEach, count_after, pixels_of, sixteens};
use crate::fused::pooling::{AT_ONCE, sizes};
use crate::fused::read::{Channels, Reader, WithReader};
use crate::fused::write::SharedSink;
use crate::isa::{Kernel, dispatch};
use crate::pooling::Pool2dShape;
use crate::prefetch::Ahead;
use crate::simd::Simd;

pub(super) fn run<E: Element>(s: &Pool2dShape, dy: Source<E>, indices: &[u8], sink: &SharedSink<E>) {
    let windows = Windows {
        shape: s,
        rows: over(s, s.height, s.out_height()),
        columns: over(s, s.width, s.out_width()),
    };
    (0..s.batch).into_par_iter().for_each(|image| {
        dispatch(Backward { windows: &windows, dy: &dy, image, indices, sink });
    });
}

/// Which windows a pixel lies in.
struct Windows<'a> {
    shape: &'a Pool2dShape,
    /// Those of each row of pixels.
    rows: Vec<Range<usize>>,
    /// Those of each column.
    columns: Vec<Range<usize>>,
}

/// The windows, along one axis, over each of its `pixels`.
fn over(s: &Pool2dShape, pixels: usize, windows: usize) -> Vec<Range<usize>> {
    let first = |pixel: usize| (pixel + 1).saturating_sub(s.kernel).div_ceil(s.stride);
    (0..pixels).map(|pixel| first(pixel)..(pixel / s.stride + 1).min(windows)).collect()
}

struct Backward<'a, 'b, E> {
    windows: &'a Windows<'a>,
    dy: &'a Source<'b, E>,
    image: usize,
    indices: &'a [u8],
    sink: &'a SharedSink<'b, E>,
}

impl<E: Element> Kernel for Backward<'_, '_, E> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { windows, dy, image, indices, sink } = self;
        let (input, _) = sizes(windows.shape);
        let mut lanes = [s.splat(0.0); AT_ONCE];
        for first in (0..input.pixels).step_by(AT_ONCE) {
            let count = AT_ONCE.min(input.pixels - first);
            let after = count_after(input, first + count, AT_ONCE);
            let mut ahead = Ahead::nothing();
            sink.ahead(&pixels_of(input, image * input.pixels + first + count, after), &mut ahead);
            let mut ahead = ahead.in_steps(count * sixteens(input.channels).count());
            for channels in sixteens(input.channels) {
                let sums = &mut lanes[..count];
                dy.reader(s, image, channels, Gather { windows, image, channels, first, indices, sums });
                let pixels = Pixels { first: image * input.pixels + first, channels };
                // SAFETY: a task has its image to itself.
                unsafe {
                    let what = WriteEach { pixels, values: sums, ahead: &mut ahead };
                    sink.writer(s, image, channels, what);
                }
            }
        }
    }
}

/// Sums, for each pixel from the `first` on, the gradients of the windows whose maximum it is.
struct Gather<'a, L> {
    windows: &'a Windows<'a>,
    image: usize,
    channels: Channels,
    first: usize,
    indices: &'a [u8],
    sums: &'a mut [L],
}

impl<S: Simd> WithReader<S> for Gather<'_, S::Lanes> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { windows: Windows { shape, rows, columns }, image, channels, first, indices, sums } = self;
        let (out_height, out_width) = (shape.out_height(), shape.out_width());
        let (mut y, mut x) = (first / shape.width, first % shape.width);
        for sum in sums {
            *sum = s.splat(0.0);
            for oy in rows[y].clone() {
                for ox in columns[x].clone() {
                    let window = (image * out_height + oy) * out_width + ox;
                    let at = window * channels.of + channels.first;
                    let place = (y - oy * shape.stride) * shape.kernel + x - ox * shape.stride;
                    let places = s.load_first_bytes(&indices[at..at + channels.lanes]);
                    assert!(at + channels.lanes <= reader.len(), "pixels beyond their tensor");
                    // SAFETY: as just asserted.
                    let gradient = unsafe { reader.read_some(s, at) };
                    *sum = s.add(*sum, s.where_equal(places, s.splat(place as f32), gradient));
                }
            }
            x += 1;
            if x == shape.width {
                (y, x) = (y + 1, 0);
            }
        }
    }
}
