//! Of windows that do not overlap: what each gets is read once, and all pixels from its corner to the next window's written.
#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::element::Element;
use crate::fused::Source;
use crate::fused::elementwise::{AheadOfPass, Pixels, WriteEach, pixels_of, sixteens};
use crate::fused::pooling::sizes;
use crate::fused::read::{Channels, Reader, WithReader};
use crate::fused::write::SharedSink;
use crate::isa::{Kernel, dispatch};
use crate::pooling::Pool2dShape;
use crate::prefetch::Ahead;
use crate::simd::Simd;

/// Rows of pixels that are kept until they are written, and so the longest stride.
pub(super) const MOST_STRIDE: usize = 4;

/// Pixels of a row at a time, at most: those of whole windows.
const ACROSS: usize = 32;

pub(super) fn run<E: Element>(s: &Pool2dShape, dy: Source<E>, indices: &[u8], sink: &SharedSink<E>) {
    (0..s.batch).into_par_iter().for_each(|image| {
        dispatch(Backward { shape: s, dy: &dy, image, indices, sink });
    });
}

struct Backward<'a, 'b, E> {
    shape: &'a Pool2dShape,
    dy: &'a Source<'b, E>,
    image: usize,
    indices: &'a [u8],
    sink: &'a SharedSink<'b, E>,
}

impl<E: Element> Backward<'_, '_, E> {
    /// What the windows of the next row read and write.
    fn ahead(&self, oy: usize) -> AheadOfPass {
        let Self { shape, dy, image, indices, sink } = self;
        let (input, output) = sizes(shape);
        let (stride, width, out_width) = (shape.stride, shape.width, shape.out_width());
        let mut ahead = Ahead::nothing();
        let first = image * input.pixels + (oy + 1) * stride * width;
        sink.ahead(&pixels_of(input, first, stride * width), &mut ahead);
        let windows = pixels_of(output, image * output.pixels + (oy + 1) * out_width, out_width);
        dy.ahead(&windows, &mut ahead);
        ahead.add(indices.as_ptr(), indices.len(), &windows);
        let rows = stride.min(shape.height - oy * stride);
        ahead.in_steps(rows * width * sixteens(shape.channels).count())
    }
}

impl<E: Element> Kernel for Backward<'_, '_, E> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { shape, dy, image, indices, sink } = self;
        let (height, width, stride) = (shape.height, shape.width, shape.stride);
        let mut rows = [[s.splat(0.0); ACROSS]; MOST_STRIDE];
        for oy in 0..height.div_ceil(stride) {
            let mut ahead = self.ahead(oy);
            for first in (0..width).step_by(ACROSS / stride * stride) {
                let count = (ACROSS / stride * stride).min(width - first);
                for channels in sixteens(shape.channels) {
                    let corner = [oy, first / stride];
                    let what = Spread { shape, image, channels, corner, count, indices, rows: &mut rows };
                    dy.reader(s, image, channels, what);
                    for (i, row) in rows.iter().enumerate().take(stride.min(height - oy * stride)) {
                        let first = (image * height + oy * stride + i) * width + first;
                        let (pixels, values) = (Pixels { first, channels }, &row[..count]);
                        // SAFETY: a task has its image to itself.
                        unsafe {
                            sink.writer(s, image, channels, WriteEach { pixels, values, ahead: &mut ahead });
                        }
                    }
                }
            }
        }
    }
}

/// Gives each pixel from a row of windows' corners to the next row's the gradient of its window, if it is the maximum.
struct Spread<'a, L> {
    shape: &'a Pool2dShape,
    image: usize,
    channels: Channels,
    /// Row and column of the first window.
    corner: [usize; 2],
    /// Pixels of a row.
    count: usize,
    indices: &'a [u8],
    rows: &'a mut [[L; ACROSS]; MOST_STRIDE],
}

impl<S: Simd> WithReader<S> for Spread<'_, S::Lanes> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { shape, image, channels, corner: [oy, first], count, indices, rows } = self;
        let (kernel, stride, out_width) = (shape.kernel, shape.stride, shape.out_width());
        for (i, x) in (0..count).step_by(stride).enumerate() {
            let ox = first + i;
            let (mut places, mut gradient) = (s.splat(0.0), s.splat(0.0));
            // Pixels after the last window get nothing.
            if oy < shape.out_height() && ox < out_width {
                let window = (image * shape.out_height() + oy) * out_width + ox;
                let at = window * channels.of + channels.first;
                places = s.load_first_bytes(&indices[at..at + channels.lanes]);
                assert!(at + channels.lanes <= reader.len(), "pixels beyond their tensor");
                // SAFETY: as just asserted.
                gradient = unsafe { reader.read_some(s, at) };
            }
            for (y, row) in rows.iter_mut().enumerate().take(stride) {
                for (j, pixel) in row[x..].iter_mut().enumerate().take(stride) {
                    let within = y < kernel && j < kernel;
                    *pixel = if within {
                        s.where_equal(places, s.splat((y * kernel + j) as f32), gradient)
                    } else {
                        s.splat(0.0)
                    };
                }
            }
        }
    }
}
