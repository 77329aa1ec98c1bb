//! What batch, ghost batch and group normalisation have in common: their arguments, the checks of these, the loops over rows.

mod moments;
mod rows;

pub(crate) use moments::{block_moments, merge};
pub(crate) use rows::{ROWS, Rows, Terms, add_shares, gradient, image_sums, normalise, pass, sums};

use crate::error::{ShapeError, expect_len};

/// What follows a layer in the same pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(v, 0)`.
    Relu,
}

/// What a norm normalises with: `(x − mean) / sqrt(variance + eps)`.
#[derive(Debug, Clone, Copy)]
pub struct NormStatistics<'a> {
    /// Means: of each channel in a batch norm, `(C)`, and of each split in a ghost batch norm, `(S, C)`; of each group of each
    /// image in a group norm, `(N, G)`.
    pub mean: &'a [f32],
    /// Biased variances, as many.
    pub variance: &'a [f32],
    /// What is added to the variance.
    pub eps: f32,
}

/// What a norm makes of a normalised value `x̂`: `activation(x̂ · weight + bias)`.
#[derive(Debug, Clone, Copy)]
pub struct NormAffine<'a> {
    /// Factor of each channel, `(C)`.
    pub weight: &'a [f32],
    /// What is added to each channel, `(C)`.
    pub bias: &'a [f32],
    /// What follows.
    pub activation: Activation,
}

/// A norm's forward pass and the gradient of its output: what its own gradients are made of.
#[derive(Debug, Clone, Copy)]
pub struct NormPass<'a> {
    /// The input.
    pub x: &'a [f32],
    /// The output; not read, and may be empty, where there is no activation.
    pub y: &'a [f32],
    /// The gradient of the output.
    pub dy: &'a [f32],
    /// What `x` was normalised with.
    pub statistics: NormStatistics<'a>,
    /// Factor of each channel, `(C)`.
    pub weight: &'a [f32],
    /// What followed.
    pub activation: Activation,
}

/// Places for a norm's gradients.
#[derive(Debug)]
pub struct NormGradients<'a> {
    /// Of the input, and of its size.
    pub dx: &'a mut [f32],
    /// Of the weight, `(C)`.
    pub dweight: &'a mut [f32],
    /// Of the bias, `(C)`.
    pub dbias: &'a mut [f32],
}

/// What lengths follow from.
#[derive(Clone, Copy)]
pub(crate) struct Lengths {
    /// Values of the input.
    pub(crate) values: usize,
    pub(crate) channels: usize,
    /// Means, and variances.
    pub(crate) statistics: usize,
}

impl NormStatistics<'_> {
    pub(crate) fn expect(&self, op: &'static str, lengths: Lengths) -> Result<(), ShapeError> {
        expect_len(op, "mean", self.mean.len(), lengths.statistics)?;
        expect_len(op, "variance", self.variance.len(), lengths.statistics)
    }
}

impl NormAffine<'_> {
    pub(crate) fn expect(&self, op: &'static str, lengths: Lengths) -> Result<(), ShapeError> {
        expect_len(op, "weight", self.weight.len(), lengths.channels)?;
        expect_len(op, "bias", self.bias.len(), lengths.channels)
    }

    /// What nothing falls below.
    pub(crate) fn floor(&self) -> f32 {
        match self.activation {
            Activation::None => f32::NEG_INFINITY,
            Activation::Relu => 0.0,
        }
    }
}

impl NormPass<'_> {
    pub(crate) fn expect(
        &self,
        op: &'static str,
        lengths: Lengths,
        out: &NormGradients,
    ) -> Result<(), ShapeError> {
        let Lengths { values, channels, .. } = lengths;
        expect_len(op, "x", self.x.len(), values)?;
        if self.activation == Activation::Relu {
            expect_len(op, "y", self.y.len(), values)?;
        }
        expect_len(op, "dy", self.dy.len(), values)?;
        self.statistics.expect(op, lengths)?;
        expect_len(op, "weight", self.weight.len(), channels)?;
        expect_len(op, "dx", out.dx.len(), values)?;
        expect_len(op, "dweight", out.dweight.len(), channels)?;
        expect_len(op, "dbias", out.dbias.len(), channels)
    }
}

/// `1 / sqrt(variance + eps)`.
pub(crate) fn inverse_deviation(variance: f32, eps: f32) -> f32 {
    1.0 / (variance + eps).sqrt()
}
