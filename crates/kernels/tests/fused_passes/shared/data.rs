//! Numbers, and every source and sink over them.

use wick_kernels::Element;
use wick_kernels::fused::{Activation, Coefficients, Extent, Gate, Source};

use super::Kind;

/// Numbers without a pattern.
fn random(seed: u32) -> impl FnMut() -> u32 {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    }
}

/// Numbers without a pattern, in [-1, 1), as a type can hold them.
pub fn numbers<E: Element>(seed: u32, n: usize) -> Vec<E> {
    let mut next = random(seed);
    (0..n).map(|_| E::from_f32(next() as f32 / (1u32 << 31) as f32 - 1.0)).collect()
}

/// Whole numbers without a pattern, from -2 to 2: many are equal, and arithmetic with them is exact.
pub fn whole_numbers<E: Element>(seed: u32, n: usize) -> Vec<E> {
    let mut next = random(seed);
    (0..n).map(|_| E::from_f32(((next() >> 16) % 5) as f32 - 2.0)).collect()
}

/// Values of a tensor.
pub fn len(extent: Extent) -> usize {
    extent.images * extent.pixels * extent.channels
}

/// Data of a tensor of `extent`, what sources and sinks over it need.
pub struct Data<E> {
    pub extent: Extent,
    first: Vec<E>,
    second: Vec<E>,
    per_channel: [Vec<f32>; 3],
    per_image: [Vec<f32>; 2],
}

impl<E: Element> Data<E> {
    /// Of [`numbers`].
    pub fn new(seed: u32, extent: Extent) -> Self {
        Self::of(extent, |i, n| numbers(seed + i, n), |i, n| numbers(seed + i, n))
    }

    /// Of [`whole_numbers`].
    pub fn whole(seed: u32, extent: Extent) -> Self {
        Self::of(extent, |i, n| whole_numbers(seed + i, n), |i, n| whole_numbers(seed + i, n))
    }

    fn of(
        extent: Extent,
        values: impl Fn(u32, usize) -> Vec<E>,
        coefficients: impl Fn(u32, usize) -> Vec<f32>,
    ) -> Self {
        let Extent { images, channels, .. } = extent;
        Self {
            extent,
            first: values(0, len(extent)),
            second: values(1, len(extent)),
            per_channel: [2, 3, 4].map(|i| coefficients(i, channels)),
            per_image: [5, 6].map(|i| coefficients(i, images * channels)),
        }
    }

    /// Every source, with coefficients of both kinds and every activation. Of [`numbers`], values are below 3.
    pub fn sources(&self) -> [(&'static str, Source<'_, E>); 6] {
        let [a, b, c] = self.per_channel.each_ref().map(|c| Coefficients::PerChannel(c));
        let [d, e] = self.per_image.each_ref().map(|c| Coefficients::PerImage(c));
        let x = &self.first;
        let normalised = |scale, shift, activation| Source::Normalised { x, scale, shift, activation };
        [
            ("plain", Source::Plain(x)),
            ("normalised", normalised(a, d, Activation::None)),
            ("ReLU", normalised(a, b, Activation::Relu)),
            ("GELU", normalised(d, e, Activation::Gelu)),
            ("gradient", Source::Gradient { g: x, y: &self.second, a, b: e, c }),
            ("spread", Source::Spread(&self.per_image[0])),
        ]
    }

    /// Every epilogue, with and without what it may lack. Of [`numbers`], they add at most 2 to a value's size.
    pub fn kinds(&self) -> Vec<Kind<'_, E>> {
        let [a, b, c] = self.per_channel.each_ref().map(|c| Coefficients::PerChannel(c));
        let [d, e] = self.per_image.each_ref().map(|c| Coefficients::PerImage(c));
        let (y, z) = (&self.first[..], &self.second[..]);
        let affine = |scale, shift, residual, activation| Kind::Affine { scale, shift, residual, activation };
        let gate = |scale, shift, activation| Gate::Normalised { y, scale, shift, activation };
        let gradient = |gate, with| Kind::Gradient { gate, with };
        vec![
            Kind::None,
            Kind::Statistics,
            affine(None, None, None, Activation::Relu),
            affine(Some(a), None, None, Activation::None),
            affine(None, Some(d), None, Activation::Gelu),
            affine(None, None, Some(z), Activation::None),
            affine(Some(e), Some(b), Some(z), Activation::Relu),
            affine(Some(c), Some(a), Some(y), Activation::Gelu),
            gradient(Gate::Open, [None, None]),
            gradient(Gate::Open, [Some(z), None]),
            gradient(Gate::Positive(y), [None, Some(z)]),
            gradient(Gate::Positive(z), [Some(y), Some(z)]),
            gradient(gate(a, b, Activation::None), [Some(y), None]),
            gradient(gate(d, b, Activation::Relu), [Some(z), Some(y)]),
            gradient(gate(a, e, Activation::Gelu), [Some(y), Some(z)]),
        ]
    }
}
