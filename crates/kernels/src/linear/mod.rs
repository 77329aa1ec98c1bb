//! The fully connected layer.

pub(crate) mod reference;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::error::{ShapeError, expect_len, expect_positive, volume};
use crate::matmul::{Matrix, matmul};

/// Rows of one piece of work.
const BLOCK: usize = 64;

/// Sizes of a fully connected layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinearShape {
    /// Rows of the input. May be 0.
    pub batch: usize,
    /// Values of an input row.
    pub in_features: usize,
    /// Values of an output row.
    pub out_features: usize,
}

impl LinearShape {
    /// Itself, if there is such a layer.
    ///
    /// # Errors
    /// No features, or more values than memory could hold.
    pub fn checked(&self) -> Result<Self, ShapeError> {
        const OP: &str = "linear";
        expect_positive(OP, &[("in_features", self.in_features), ("out_features", self.out_features)])?;
        volume(OP, "x", &[self.batch, self.in_features])?;
        volume(OP, "weight", &[self.out_features, self.in_features])?;
        volume(OP, "y", &[self.batch, self.out_features])?;
        Ok(*self)
    }

    fn expect(
        &self,
        op: &'static str,
        x: usize,
        weight: usize,
        y: (&'static str, usize),
    ) -> Result<(), ShapeError> {
        self.checked()?;
        expect_len(op, "x", x, self.batch * self.in_features)?;
        expect_len(op, "weight", weight, self.out_features * self.in_features)?;
        expect_len(op, y.0, y.1, self.batch * self.out_features)
    }
}

/// `y = x · weightᵀ + bias`: `x` is `(batch, in)`, `weight` `(out, in)`, `bias` `(out)`, `y` `(batch, out)`.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn linear_forward(
    shape: &LinearShape,
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) -> Result<(), ShapeError> {
    const OP: &str = "linear_forward";
    shape.expect(OP, x.len(), weight.len(), ("y", y.len()))?;
    if let Some(bias) = bias {
        expect_len(OP, "bias", bias.len(), shape.out_features)?;
    }
    let weight = Matrix::new(weight, shape.out_features, shape.in_features).transposed();
    let blocks = y.par_chunks_mut(BLOCK * shape.out_features).zip(x.par_chunks(BLOCK * shape.in_features));
    blocks.for_each(|(y, x)| {
        let x = Matrix::new(x, y.len() / shape.out_features, shape.in_features);
        matmul(x, weight, y);
        if let Some(bias) = bias {
            for y in y.chunks_exact_mut(bias.len()) {
                y.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
            }
        }
    });
    Ok(())
}

/// The gradients of [`linear_forward`]: `dx = dy · weight`, `dweight = dyᵀ · x`, `dbias = Σ dy` over the rows (zeros for
/// an empty batch). `x` and `dx` are `(batch, in)`, `weight` and `dweight` `(out, in)`, `dbias` `(out)`, `dy` `(batch, out)`.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn linear_backward(
    shape: &LinearShape,
    x: &[f32],
    weight: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    dweight: &mut [f32],
    dbias: Option<&mut [f32]>,
) -> Result<(), ShapeError> {
    const OP: &str = "linear_backward";
    shape.expect(OP, x.len(), weight.len(), ("dy", dy.len()))?;
    expect_len(OP, "dx", dx.len(), x.len())?;
    expect_len(OP, "dweight", dweight.len(), weight.len())?;
    if let Some(dbias) = &dbias {
        expect_len(OP, "dbias", dbias.len(), shape.out_features)?;
    }
    let (inputs, outputs) = (shape.in_features, shape.out_features);
    let weight = Matrix::new(weight, outputs, inputs);
    dx.par_chunks_mut(BLOCK * inputs).zip(dy.par_chunks(BLOCK * outputs)).for_each(|(dx, dy)| {
        matmul(Matrix::new(dy, dy.len() / outputs, outputs), weight, dx);
    });
    let (x, dy_matrix) = (Matrix::new(x, shape.batch, inputs), Matrix::new(dy, shape.batch, outputs));
    dweight.par_chunks_mut(BLOCK * inputs).enumerate().for_each(|(i, dweight)| {
        let rows = dy_matrix.columns(i * BLOCK, dweight.len() / inputs).transposed();
        matmul(rows, x, dweight);
    });
    if let Some(dbias) = dbias {
        dbias.fill(0.0);
        for dy in dy.chunks_exact(outputs) {
            dbias.iter_mut().zip(dy).for_each(|(b, dy)| *b += dy);
        }
    }
    Ok(())
}
