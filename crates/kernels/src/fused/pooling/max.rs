//! The maximum of each window, and where it is.
#![allow(unsafe_code)]

use rayon::prelude::*;

use super::{AT_ONCE, sizes};
use crate::element::Element;
use crate::fused::elementwise::{Pixels, WriteEach, count_after, pixels_of, sixteens};
use crate::fused::read::{Channels, Reader, WithReader};
use crate::fused::shared::Shared;
use crate::fused::write::SharedSink;
use crate::fused::{Sink, Source};
use crate::isa::{Kernel, dispatch};
use crate::pooling::Pool2dShape;
use crate::prefetch::Ahead;
use crate::simd::Simd;

/// [`max_pool2d`](super::max_pool2d) of checked arguments.
pub(in crate::fused) fn forward<E: Element>(
    s: &Pool2dShape,
    x: Source<E>,
    indices: Option<&mut [u8]>,
    y: Sink<E>,
) {
    let sink = SharedSink::new(y);
    if sizes(s).1.len() == 0 {
        return;
    }
    let indices = indices.map(Shared::new);
    (0..s.batch).into_par_iter().for_each(|image| {
        dispatch(Forward { shape: s, x: &x, image, indices, sink: &sink });
    });
}

struct Forward<'a, 'b, E> {
    shape: &'a Pool2dShape,
    x: &'a Source<'b, E>,
    image: usize,
    indices: Option<Shared<'b, u8>>,
    sink: &'a SharedSink<'b, E>,
}

impl<E: Element> Kernel for Forward<'_, '_, E> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { shape, x, image, indices, sink } = self;
        let (input, output) = sizes(shape);
        let (mut maxima, mut places) = ([s.splat(0.0); AT_ONCE], [s.splat(0.0); AT_ONCE]);
        // Pixels of an image that the windows up to the last one take up.
        let below = |last: usize| (last / shape.out_width() * shape.stride + shape.kernel) * shape.width;
        for first in (0..output.pixels).step_by(AT_ONCE) {
            let count = AT_ONCE.min(output.pixels - first);
            let last = first + count - 1;
            let begin = below(last);
            let after = count_after(output, first + count, AT_ONCE);
            let end = if last + 1 < output.pixels {
                below(last + after)
            } else {
                input.pixels + below(after - 1) // of the next image
            };
            let mut ahead = Ahead::nothing();
            x.ahead(&pixels_of(input, image * input.pixels + begin, end - begin), &mut ahead);
            let next = pixels_of(output, image * output.pixels + first + count, after);
            sink.ahead(&next, &mut ahead);
            if let Some(indices) = indices {
                ahead.add(indices.start(), indices.len(), &next);
            }
            let mut ahead = ahead.in_steps(count * sixteens(input.channels).count());
            for channels in sixteens(input.channels) {
                let (maxima, places) = (&mut maxima[..count], &mut places[..count]);
                x.reader(s, image, channels, Maxima { shape, image, channels, first, maxima, places });
                let pixels = Pixels { first: image * output.pixels + first, channels };
                if let Some(indices) = indices {
                    for (i, place) in places.iter().enumerate() {
                        // SAFETY: a task has its image to itself.
                        s.store_first_bytes(*place, unsafe { indices.part(pixels.at(i), channels.lanes) });
                    }
                }
                // SAFETY: as above.
                unsafe {
                    let what = WriteEach { pixels, values: maxima, ahead: &mut ahead };
                    sink.writer(s, image, channels, what);
                }
            }
        }
    }
}

/// Finds the largest value of each window from the `first` on, and its place in there.
struct Maxima<'a, L> {
    shape: &'a Pool2dShape,
    image: usize,
    channels: Channels,
    first: usize,
    maxima: &'a mut [L],
    places: &'a mut [L],
}

impl<S: Simd> WithReader<S> for Maxima<'_, S::Lanes> {
    #[inline(always)]
    fn with<R: Reader<S>>(self, s: S, reader: R) {
        let Self { shape, image, channels, first, maxima, places } = self;
        let (width, kernel) = (shape.out_width(), shape.kernel);
        let (mut oy, mut ox) = (first / width, first % width);
        for (maximum, place) in maxima.iter_mut().zip(places) {
            let corner = (image * shape.height + oy * shape.stride) * shape.width + ox * shape.stride;
            let at = |y, x| (corner + y * shape.width + x) * channels.of + channels.first;
            assert!(
                at(kernel - 1, kernel - 1) + channels.lanes <= reader.len(),
                "pixels beyond their tensor"
            );
            // SAFETY: not beyond the window's last pixel, which was just asserted to be within the tensor.
            let read = |at| unsafe { reader.read_some(s, at) };
            let (mut largest, mut found) = (read(at(0, 0)), s.splat(0.0));
            for y in 0..kernel {
                for x in usize::from(y == 0)..kernel {
                    let value = read(at(y, x));
                    let here = s.splat((y * kernel + x) as f32);
                    found = s.where_larger_or_nan(value, largest, here, found);
                    largest = s.where_larger_or_nan(value, largest, value, largest);
                }
            }
            (*maximum, *place) = (largest, found);
            ox += 1;
            if ox == width {
                (oy, ox) = (oy + 1, 0);
            }
        }
    }
}
