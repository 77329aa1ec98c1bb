use rayon::prelude::*;

use super::{Activation, expect_rows, inverse_deviation, rows_per_block};
use crate::error::{ShapeError, expect_len};
use crate::isa::multiversion;
use crate::scratch;

/// `y = activation((x − mean) / sqrt(variance + eps) · weight + bias)`; `x` and `y` are `(rows, C)`, the rest `(C)`.
///
/// # Errors
/// No channel, an `x` that is not whole rows, or another slice of the wrong length.
#[expect(clippy::too_many_arguments, reason = "the terms of the formula")]
pub fn batch_norm_normalise(
    x: &[f32],
    mean: &[f32],
    variance: &[f32],
    eps: f32,
    weight: &[f32],
    bias: &[f32],
    activation: Activation,
    y: &mut [f32],
) -> Result<(), ShapeError> {
    const OP: &str = "batch_norm_normalise";
    let channels = mean.len();
    expect_rows(OP, x, channels)?;
    expect_len(OP, "variance", variance.len(), channels)?;
    expect_len(OP, "weight", weight.len(), channels)?;
    expect_len(OP, "bias", bias.len(), channels)?;
    expect_len(OP, "y", y.len(), x.len())?;
    // No activation is a floor that nothing falls below.
    let floor = match activation {
        Activation::None => f32::NEG_INFINITY,
        Activation::Relu => 0.0,
    };
    let block = rows_per_block(channels) * channels;
    scratch::with(channels, |scale| {
        for ((s, w), v) in scale.iter_mut().zip(weight).zip(variance) {
            *s = w * inverse_deviation(*v, eps);
        }
        let scale = &*scale;
        y.par_chunks_mut(block).zip(x.par_chunks(block)).for_each(|(y, x)| {
            normalise_block(x, mean, scale, bias, floor, y);
        });
    });
    Ok(())
}

multiversion! {
    fn normalise_block(x: &[f32], mean: &[f32], scale: &[f32], bias: &[f32], floor: f32, y: &mut [f32]) {
        let channels = mean.len();
        let (scale, bias) = (&scale[..channels], &bias[..channels]);
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for i in 0..channels {
                // The mean is taken off first: folded into the bias, it would cost the digits it is larger by.
                let v = (x[i] - mean[i]) * scale[i] + bias[i];
                // This way round NaN passes.
                y[i] = if v <= floor { floor } else { v };
            }
        }
    }
}
