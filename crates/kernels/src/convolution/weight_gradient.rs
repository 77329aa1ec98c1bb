use rayon::prelude::*;

use super::{Conv2dShape, forward::with_windows, im2col::gather_tap, plan, winograd};
use crate::ShapeError;
use crate::matmul::{Matrix, MatrixMut, Write, matmul};
use crate::scratch;

/// The gradient of [`conv2d_forward`](crate::conv2d_forward) with respect to its weight: `x` is `(N, H, W, C_in)`, `dy`
/// `(N, H_out, W_out, C_out)`, `dw` `(KH, KW, C_in, C_out)`. Zeros for an empty batch.
///
/// # Errors
/// The shape is impossible, or a slice's length does not follow from it.
pub fn conv2d_weight_gradient(
    shape: &Conv2dShape,
    x: &[f32],
    dy: &[f32],
    dw: &mut [f32],
) -> Result<(), ShapeError> {
    shape.expect("conv2d_weight_gradient", ("x", x.len()), ("dw", dw.len()), ("dy", dy.len()))?;
    match plan::weight_gradient(shape) {
        plan::WeightGradient::Splits(splits) => by_splits(shape, x, dy, dw, splits),
        plan::WeightGradient::Taps { channels } => by_taps(shape, x, dy, dw, channels),
        plan::WeightGradient::Winograd(tiles, share) => {
            winograd::weight_gradient(&tiles, share, x, dy, [shape.in_channels, shape.out_channels], dw);
        }
    }
    Ok(())
}

/// Each split sums over its share of the output rows; the splits are then added in order.
fn by_splits(s: &Conv2dShape, x: &[f32], dy: &[f32], dw: &mut [f32], splits: usize) {
    let row_len = s.out_width() * s.out_channels;
    let rows_at_once = plan::rows_per_block(s);
    let share = s.out_rows().div_ceil(splits);
    scratch::with(splits * dw.len(), |partials| {
        partials.par_chunks_mut(dw.len()).enumerate().for_each(|(split, partial)| {
            partial.fill(0.0);
            let end = ((split + 1) * share).min(s.out_rows());
            let mut row = split * share;
            while row < end {
                let rows = row..(row + rows_at_once).min(end);
                row = rows.end;
                let dy = &dy[rows.start * row_len..rows.end * row_len];
                let dy = Matrix::new(dy, rows.len() * s.out_width(), s.out_channels);
                with_windows(s, x, rows, |windows| {
                    matmul(
                        windows.transposed(),
                        dy,
                        MatrixMut::new(partial, s.out_channels),
                        Write::Accumulate,
                    );
                });
            }
        });
        add_up(partials, dw);
    });
}

/// `total = Σ partials`, in their order.
pub(super) fn add_up(partials: &[f32], total: &mut [f32]) {
    const CHUNK: usize = 4096;
    let len = total.len();
    total.par_chunks_mut(CHUNK).enumerate().for_each(|(i, total)| {
        total.fill(0.0);
        for partial in partials.chunks_exact(len) {
            let partial = &partial[i * CHUNK..][..total.len()];
            total.iter_mut().zip(partial).for_each(|(t, p)| *t += p);
        }
    });
}

/// Each tap, and each group of input channels, over all pixels: no partial sums.
fn by_taps(s: &Conv2dShape, x: &[f32], dy: &[f32], dw: &mut [f32], group: usize) {
    let row_len = s.out_width() * s.out_channels;
    let rows_at_once = (1024usize).div_ceil(s.out_width());
    dw.par_chunks_mut(s.in_channels * s.out_channels).enumerate().for_each(|(tap, dw)| {
        let tap = [tap / s.kernel[1], tap % s.kernel[1]];
        dw.par_chunks_mut(group * s.out_channels).enumerate().for_each(|(i, dw)| {
            let width = dw.len() / s.out_channels;
            let channels = i * group..i * group + width;
            dw.fill(0.0);
            for row in (0..s.out_rows()).step_by(rows_at_once) {
                let rows = row..(row + rows_at_once).min(s.out_rows());
                let pixels = rows.len() * s.out_width();
                let dy = Matrix::new(&dy[rows.start * row_len..rows.end * row_len], pixels, s.out_channels);
                scratch::with(pixels * width, |seen| {
                    gather_tap(s, x, rows, tap, channels.clone(), seen);
                    matmul(
                        Matrix::new(seen, pixels, width).transposed(),
                        dy,
                        MatrixMut::new(dw, s.out_channels),
                        Write::Accumulate,
                    );
                });
            }
        });
    });
}
