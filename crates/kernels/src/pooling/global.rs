use rayon::prelude::*;

use crate::error::{ShapeError, expect_len, expect_positive, volume};
use crate::isa::multiversion;

/// The mean over all positions of each image: `x` is `(batch, positions, channels)`, `y` `(batch, channels)`.
///
/// # Errors
/// No position or channel, or a slice's length that does not follow from the sizes.
pub fn global_avg_pool2d_forward(
    batch: usize,
    positions: usize,
    channels: usize,
    x: &[f32],
    y: &mut [f32],
) -> Result<(), ShapeError> {
    expect("global_avg_pool2d_forward", [batch, positions, channels], ("x", x.len()), ("y", y.len()))?;
    let images = y.par_chunks_mut(channels).zip(x.par_chunks(positions * channels));
    images.for_each(|(y, x)| mean_of_rows(x, y));
    Ok(())
}

/// The gradient of [`global_avg_pool2d_forward`]: `dy` is `(batch, channels)`, `dx` `(batch, positions, channels)`.
///
/// # Errors
/// No position or channel, or a slice's length that does not follow from the sizes.
pub fn global_avg_pool2d_backward(
    batch: usize,
    positions: usize,
    channels: usize,
    dy: &[f32],
    dx: &mut [f32],
) -> Result<(), ShapeError> {
    expect("global_avg_pool2d_backward", [batch, positions, channels], ("dx", dx.len()), ("dy", dy.len()))?;
    let share = 1.0 / positions as f32;
    let images = dx.par_chunks_mut(positions * channels).zip(dy.par_chunks(channels));
    images.for_each(|(dx, dy)| {
        for dx in dx.chunks_exact_mut(channels) {
            dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = dy * share);
        }
    });
    Ok(())
}

fn expect(
    op: &'static str,
    [batch, positions, channels]: [usize; 3],
    image: (&'static str, usize),
    pooled: (&'static str, usize),
) -> Result<(), ShapeError> {
    expect_positive(op, &[("positions", positions), ("channels", channels)])?;
    expect_len(op, image.0, image.1, volume(op, image.0, &[batch, positions, channels])?)?;
    expect_len(op, pooled.0, pooled.1, batch * channels)
}

multiversion! {
    fn mean_of_rows(x: &[f32], y: &mut [f32]) {
        let channels = y.len();
        y.fill(0.0);
        for row in x.chunks_exact(channels) {
            y.iter_mut().zip(row).for_each(|(y, x)| *y += x);
        }
        let share = channels as f32 / x.len() as f32;
        y.iter_mut().for_each(|y| *y *= share);
    }
}
