//! What the backward passes of all norms share.

use candle_core::{Result, Tensor};
use wick_kernels::{Activation, NormGradients, NormPass, NormStatistics, ShapeError};

use crate::apply::{tensor, with_slice};
use crate::error::kernel;

/// Tensors of a norm's forward pass, and the gradient of its output.
pub(crate) struct Passed<'a> {
    pub x: &'a Tensor,
    pub weight: &'a Tensor,
    pub bias: &'a Tensor,
    pub y: &'a Tensor,
    pub dy: &'a Tensor,
}

/// Gradients of input, weight and bias, by a kernel over the values of what passed.
pub(crate) fn norm_gradients(
    op: &'static str,
    passed: Passed<'_>,
    (statistics, activation): (NormStatistics<'_>, Activation),
    backward: impl FnOnce(NormPass<'_>, NormGradients<'_>) -> std::result::Result<(), ShapeError>,
) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
    let Passed { x, weight, bias, y, dy } = passed;
    let [mut dx, mut dweight, mut dbias] = [x, weight, bias].map(|t| vec![0.0; t.elem_count()]);
    with_slice(op, x, |x| {
        with_slice(op, y, |y| {
            with_slice(op, dy, |dy| {
                with_slice(op, weight, |weight| {
                    let pass = NormPass { x, y, dy, statistics, weight, activation };
                    let out = NormGradients { dx: &mut dx, dweight: &mut dweight, dbias: &mut dbias };
                    backward(pass, out).map_err(kernel(op))
                })
            })
        })
    })?;
    let of = |gradient, like: &Tensor| tensor(gradient, like.shape()).map(Some);
    Ok((of(dx, x)?, of(dweight, weight)?, of(dbias, bias)?))
}
