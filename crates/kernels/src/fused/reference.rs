//! The definitions of sources and sinks, pixel by pixel: any pass is "compute the tensor, then [`finish`]".

use super::{Epilogue, Extent, Sink, Source, Write};
use crate::element::Element;
use crate::pooling::{Pool2dShape, reference as pooling};

/// The tensor that a source stands for.
pub fn values<E: Element>(extent: Extent, source: Source<E>) -> Vec<f32> {
    let Extent { pixels, channels, .. } = extent;
    let at = |i: usize| source.at(i / channels, i % channels, pixels, channels);
    (0..extent.len()).map(at).collect()
}

/// Sends the tensor `values` into a sink.
pub fn finish<E: Element>(extent: Extent, values: &[f32], sink: Sink<E>) {
    let Extent { images, pixels, channels } = extent;
    let sums_a_channel = sink.sums_a_channel();
    let Sink { to, write, epilogue } = sink;
    let mut sums = vec![0f64; images * sums_a_channel * channels];
    for (i, &value) in values.iter().enumerate() {
        let (pixel, channel) = (i / channels, i % channels);
        let image = pixel / pixels;
        let v = if write == Write::Add { value + to[i].to_f32() } else { value };
        let mut add = |slot: usize, term: f32| {
            sums[(image * sums_a_channel + slot) * channels + channel] += f64::from(term);
        };
        let out = match &epilogue {
            Epilogue::None => v,
            Epilogue::Statistics { .. } => {
                add(0, v);
                add(1, v * v);
                v
            }
            Epilogue::Affine { scale, shift, residual, activation } => {
                let scale = scale.map_or(1.0, |c| c.of(image, channels)[channel]);
                let shift = shift.map_or(0.0, |c| c.of(image, channels)[channel]);
                activation.apply(scale.mul_add(v, shift) + residual.map_or(0.0, |r| r[i].to_f32()))
            }
            Epilogue::Gradient { gate, with, .. } => {
                let g = v * gate.at(pixel, channel, pixels, channels);
                add(0, g);
                for (k, y) in with.iter().flatten().enumerate() {
                    add(1 + k, g * y[i].to_f32());
                }
                g
            }
        };
        to[i] = E::from_f32(out);
    }
    if let Epilogue::Statistics { sums: place } | Epilogue::Gradient { sums: place, .. } = epilogue {
        for (place, sum) in place.iter_mut().zip(sums) {
            *place = sum as f32;
        }
    }
}

/// The sum of the terms, sent into the sink.
pub fn combine<E: Element>(extent: Extent, terms: &[Source<E>], sink: Sink<E>) {
    let mut total = vec![0.0; extent.len()];
    for term in terms {
        total.iter_mut().zip(values(extent, *term)).for_each(|(t, v)| *t += v);
    }
    finish(extent, &total, sink);
}

/// [`max_pool2d`](super::max_pool2d) of checked arguments.
pub fn max_pool2d<E: Element>(
    shape: &Pool2dShape,
    (input, output): (Extent, Extent),
    x: Source<E>,
    indices: Option<&mut [u8]>,
    y: Sink<E>,
) {
    let (maxima, positions) = pooling::max_pool2d_forward(shape, &values(input, x));
    finish(output, &maxima, y);
    for (o, index) in indices.into_iter().flatten().enumerate() {
        let here = |at: &u8| position(shape, o, *at) == positions[o];
        *index = (0..=u8::MAX).find(here).unwrap_or_default();
    }
}

/// [`max_pool2d_gradient`](super::max_pool2d_gradient) of checked arguments.
pub fn max_pool2d_gradient<E: Element>(
    shape: &Pool2dShape,
    (input, output): (Extent, Extent),
    dy: Source<E>,
    indices: &[u8],
    dx: Sink<E>,
) {
    let positions: Vec<u32> = indices.iter().enumerate().map(|(o, at)| position(shape, o, *at)).collect();
    finish(input, &pooling::max_pool2d_backward(shape, &values(output, dy), &positions), dx);
}

/// The position in its image, `h·W + w`, of the place `at` of output `o`'s window.
fn position(s: &Pool2dShape, o: usize, at: u8) -> u32 {
    let (pixel, at) = (o / s.channels % (s.out_height() * s.out_width()), usize::from(at));
    let (oy, ox) = (pixel / s.out_width(), pixel % s.out_width());
    ((oy * s.stride + at / s.kernel) * s.width + ox * s.stride + at % s.kernel) as u32
}

/// [`global_avg_pool2d`](super::global_avg_pool2d) of checked arguments.
pub fn global_avg_pool2d<E: Element>(extent: Extent, x: Source<E>, y: &mut [f32]) {
    let x = values(extent, x);
    for (i, y) in y.iter_mut().enumerate() {
        let (image, channel) = (i / extent.channels, i % extent.channels);
        let at = |p: usize| f64::from(x[(image * extent.pixels + p) * extent.channels + channel]);
        *y = ((0..extent.pixels).map(at).sum::<f64>() / extent.pixels as f64) as f32;
    }
}
