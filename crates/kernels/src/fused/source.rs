//! How a value is made from what is in memory.

use super::Activation;
use crate::element::Element;
use crate::error::{ShapeError, expect_len};
use crate::prefetch::{Ahead, Region};

/// Numbers that belong to channels.
#[derive(Debug, Clone, Copy)]
pub enum Coefficients<'a> {
    /// `(C)`: the same for every image.
    PerChannel(&'a [f32]),
    /// `(N, C)`.
    PerImage(&'a [f32]),
}

impl<'a> Coefficients<'a> {
    /// Those of `image`, one a channel.
    #[inline(always)]
    pub(crate) fn of(self, image: usize, channels: usize) -> &'a [f32] {
        match self {
            Self::PerChannel(values) => values,
            Self::PerImage(values) => &values[image * channels..][..channels],
        }
    }

    pub(super) fn check(
        self,
        op: &'static str,
        name: &'static str,
        images: usize,
        channels: usize,
    ) -> Result<(), ShapeError> {
        match self {
            Self::PerChannel(values) => expect_len(op, name, values.len(), channels),
            Self::PerImage(values) => expect_len(op, name, values.len(), images * channels),
        }
    }
}

/// A tensor `(N, H, W, C)` as a function of what is in memory. Slices are of its size unless said otherwise.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a, E> {
    /// What is there.
    Plain(&'a [E]),
    /// `activation(scale·x + shift)`: a normalisation, and what follows it.
    Normalised {
        /// What is normalised.
        x: &'a [E],
        /// `weight / √(variance + eps)`.
        scale: Coefficients<'a>,
        /// `bias − mean·scale`.
        shift: Coefficients<'a>,
        /// What follows.
        activation: Activation,
    },
    /// `a·g + b·y + c`: the gradient of a normalisation's input `y`, where `g` is that of its output.
    Gradient {
        /// The gradient of the output.
        g: &'a [E],
        /// The input.
        y: &'a [E],
        /// Factor of `g`.
        a: Coefficients<'a>,
        /// Factor of `y`.
        b: Coefficients<'a>,
        /// What is added.
        c: Coefficients<'a>,
    },
    /// The same value for all pixels of an image: `(N, C)`. The gradient of a mean over the pixels.
    Spread(&'a [f32]),
}

impl<E: Element> Source<'_, E> {
    /// Checks the lengths against `images · pixels · channels` values.
    pub(crate) fn check(
        &self,
        op: &'static str,
        name: &'static str,
        [images, pixels, channels]: [usize; 3],
    ) -> Result<(), ShapeError> {
        let whole = images * pixels * channels;
        match self {
            Self::Plain(x) => expect_len(op, name, x.len(), whole),
            Self::Normalised { x, scale, shift, .. } => {
                expect_len(op, name, x.len(), whole)?;
                scale.check(op, "scale", images, channels)?;
                shift.check(op, "shift", images, channels)
            }
            Self::Gradient { g, y, a, b, c } => {
                expect_len(op, name, g.len(), whole)?;
                expect_len(op, "y", y.len(), whole)?;
                a.check(op, "a", images, channels)?;
                b.check(op, "b", images, channels)?;
                c.check(op, "c", images, channels)
            }
            Self::Spread(values) => expect_len(op, name, values.len(), images * channels),
        }
    }

    /// Adds what it reads for a region of the tensor.
    pub(crate) fn ahead<const N: usize>(&self, region: &Region, ahead: &mut Ahead<N>) {
        let mut add = |x: &[E]| ahead.add(x.as_ptr(), x.len(), region);
        match self {
            Self::Plain(x) | Self::Normalised { x, .. } => add(x),
            Self::Gradient { g, y, .. } => {
                add(g);
                add(y);
            }
            Self::Spread(_) => {}
        }
    }

    /// The value of one channel of one pixel, `pixel` counted over all images of `pixels` pixels.
    pub(crate) fn at(&self, pixel: usize, channel: usize, pixels: usize, channels: usize) -> f32 {
        let (image, i) = (pixel / pixels, pixel * channels + channel);
        let of = |c: &Coefficients| c.of(image, channels)[channel];
        match self {
            Self::Plain(x) => x[i].to_f32(),
            Self::Normalised { x, scale, shift, activation } => {
                activation.apply(of(scale).mul_add(x[i].to_f32(), of(shift)))
            }
            Self::Gradient { g, y, a, b, c } => {
                of(a).mul_add(g[i].to_f32(), of(b).mul_add(y[i].to_f32(), of(c)))
            }
            Self::Spread(values) => values[image * channels + channel],
        }
    }
}
