//! What becomes of a value before it is written, and what is summed on the way.

use super::Activation;
use super::source::Coefficients;
use crate::element::Element;
use crate::error::{ShapeError, expect_len};

/// Where a pass writes a tensor `(N, H, W, C)`, and how.
#[derive(Debug)]
pub struct Sink<'a, E> {
    /// The place, of the tensor's size.
    pub to: &'a mut [E],
    /// What becomes of what is there.
    pub write: Write,
    /// What happens to each value first (to the sum, where one adds).
    pub epilogue: Epilogue<'a, E>,
}

/// What becomes of what is in a sink's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// It is forgotten; it may be anything.
    Overwrite,
    /// As [`Overwrite`](Self::Overwrite), and what is written is too large to be in the caches still when it is next read: it
    /// goes past them where a register is a whole cache line (f32) and the place begins with one.
    Stream,
    /// The pass's values are added to it.
    Add,
}

/// What happens to a value `v` on its way out. Sums are taken per image, of the values before they are rounded.
#[derive(Debug)]
pub enum Epilogue<'a, E> {
    /// Nothing.
    None,
    /// Written as it is; `sums`, `(N, 2, C)`, receives `Σv` and `Σv²` over the pixels of each image.
    Statistics {
        /// `(N, 2, C)`.
        sums: &'a mut [f32],
    },
    /// `activation(scale·v + shift + residual)`, what is `None` left out: evaluation, where statistics are known.
    Affine {
        /// Factor.
        scale: Option<Coefficients<'a>>,
        /// What is added.
        shift: Option<Coefficients<'a>>,
        /// A tensor of the sink's size.
        residual: Option<&'a [E]>,
        /// What follows.
        activation: Activation,
    },
    /// `v` is the gradient of an activation's output: `g = v · gate` is written, the gradient of its input. `sums`,
    /// `(N, 1 + K, C)`, receives `Σg` and `Σg·y` for each of the `K` tensors `with`.
    Gradient {
        /// The activation's derivative.
        gate: Gate<'a, E>,
        /// What fed the normalisations before the activation: up to two tensors of the sink's size.
        with: [Option<&'a [E]>; 2],
        /// `(N, 1 + K, C)`.
        sums: &'a mut [f32],
    },
}

/// The derivative of an activation.
#[derive(Debug, Clone, Copy)]
pub enum Gate<'a, E> {
    /// There is none: 1.
    Open,
    /// A ReLU's, of its output: 1 where that is positive.
    Positive(&'a [E]),
    /// That of `activation(scale·y + shift)`.
    Normalised {
        /// What was normalised.
        y: &'a [E],
        /// `weight / √(variance + eps)`.
        scale: Coefficients<'a>,
        /// `bias − mean·scale`.
        shift: Coefficients<'a>,
        /// What followed.
        activation: Activation,
    },
}

impl<'a, E: Element> Sink<'a, E> {
    /// Writes to `to` and does nothing else.
    pub fn plain(to: &'a mut [E]) -> Self {
        Self { to, write: Write::Overwrite, epilogue: Epilogue::None }
    }

    /// Checks the lengths against `images · pixels · channels` values.
    pub(crate) fn check(
        &self,
        op: &'static str,
        name: &'static str,
        [images, pixels, channels]: [usize; 3],
    ) -> Result<(), ShapeError> {
        let whole = images * pixels * channels;
        expect_len(op, name, self.to.len(), whole)?;
        match &self.epilogue {
            Epilogue::None => Ok(()),
            Epilogue::Statistics { sums } => expect_len(op, "sums", sums.len(), images * 2 * channels),
            Epilogue::Affine { scale, shift, residual, .. } => {
                scale.map_or(Ok(()), |c| c.check(op, "scale", images, channels))?;
                shift.map_or(Ok(()), |c| c.check(op, "shift", images, channels))?;
                residual.map_or(Ok(()), |r| expect_len(op, "residual", r.len(), whole))
            }
            Epilogue::Gradient { gate, with, sums } => {
                match gate {
                    Gate::Open => {}
                    Gate::Positive(z) => expect_len(op, "gate", z.len(), whole)?,
                    Gate::Normalised { y, scale, shift, .. } => {
                        expect_len(op, "gate", y.len(), whole)?;
                        scale.check(op, "scale", images, channels)?;
                        shift.check(op, "shift", images, channels)?;
                    }
                }
                with.iter().flatten().try_for_each(|y| expect_len(op, "with", y.len(), whole))?;
                let sums_a_channel = 1 + with.iter().flatten().count();
                expect_len(op, "sums", sums.len(), images * sums_a_channel * channels)
            }
        }
    }

    /// Sums a channel and image that the epilogue leaves.
    pub(crate) fn sums_a_channel(&self) -> usize {
        match &self.epilogue {
            Epilogue::None | Epilogue::Affine { .. } => 0,
            Epilogue::Statistics { .. } => 2,
            Epilogue::Gradient { with, .. } => 1 + with.iter().flatten().count(),
        }
    }
}

impl<E: Element> Gate<'_, E> {
    /// The derivative at one channel of one pixel, `pixel` counted over all images of `pixels` pixels.
    pub(crate) fn at(&self, pixel: usize, channel: usize, pixels: usize, channels: usize) -> f32 {
        let (image, i) = (pixel / pixels, pixel * channels + channel);
        match self {
            Self::Open => 1.0,
            Self::Positive(z) => f32::from(z[i].to_f32() > 0.0),
            Self::Normalised { y, scale, shift, activation } => {
                let of = |c: &Coefficients| c.of(image, channels)[channel];
                activation.derivative(of(scale).mul_add(y[i].to_f32(), of(shift)))
            }
        }
    }
}
