//! The fully connected layer: candle's own product, which is cuBLAS' in f32, and its gradients.

use candle_core::{Result, Tensor};

use super::gpu::inputs;
use crate::apply::recording;

const OP: &str = "linear";

pub(crate) fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    // Candle's operations record on their own account.
    let seen = |x: Tensor| if recording() { x } else { x.detach() };
    let [x, weight] = inputs(OP, [("input", x), ("weight", weight)])?.map(seen);
    let y = x.matmul(&weight.t()?)?;
    let Some(bias) = bias else { return Ok(y) };
    let [_, bias] = inputs(OP, [("input", &x), ("bias", bias)])?.map(seen);
    y.broadcast_add(&bias)
}
