//! The mean over the pixels of each image.

use rayon::prelude::*;

use crate::element::Element;
use crate::element::private::Sealed;
use crate::fused::elementwise::{AddTo, Pixels, sixteens};
use crate::fused::{Extent, Source};
use crate::isa::{Kernel, dispatch};
use crate::simd::Simd;

/// [`global_avg_pool2d`](super::global_avg_pool2d) of checked arguments.
pub(in crate::fused) fn mean<E: Element>(extent: Extent, x: Source<E>, y: &mut [f32]) {
    y.par_chunks_mut(extent.channels).enumerate().for_each(|(image, y)| {
        dispatch(Mean { extent, image, x: &x, y });
    });
}

struct Mean<'a, 'b, E> {
    extent: Extent,
    image: usize,
    x: &'a Source<'b, E>,
    y: &'a mut [f32],
}

impl<E: Element> Kernel for Mean<'_, '_, E> {
    type Output = ();
    const BF16: bool = E::PAIR == 2;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { extent, image, x, y } = self;
        for channels in sixteens(extent.channels) {
            let mut sum = [s.splat(0.0)];
            for pixel in 0..extent.pixels {
                let pixels = Pixels { first: image * extent.pixels + pixel, channels };
                x.reader(s, image, channels, AddTo { pixels, sums: &mut sum });
            }
            let mean = s.scaled(1.0 / extent.pixels as f32, sum[0]);
            f32::store_first(s, mean, &mut y[channels.first..][..channels.lanes]);
        }
    }
}
