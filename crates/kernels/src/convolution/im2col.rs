//! Windows written out as the rows of a matrix, and their sum back into an image.

use std::ops::Range;

use super::Conv2dShape;
use crate::isa::multiversion;

/// Where one row of one window lies: `zeros_before` values outside the image, then those of `inside`, then zeros.
struct Run {
    zeros_before: usize,
    inside: Range<usize>,
}

/// For output pixel (`row` counted over all images, `ox`), the place in `x` of row `ky` of its window.
#[inline(always)]
fn run(s: &Conv2dShape, row: usize, ox: usize, ky: usize) -> Run {
    let (image, oy) = (row / s.out_height(), row % s.out_height());
    let padded_row = oy * s.stride + ky;
    if padded_row < s.padding || padded_row >= s.padding + s.height {
        return Run { zeros_before: 0, inside: 0..0 };
    }
    let start = ox * s.stride;
    let first = start.clamp(s.padding, s.padding + s.width);
    let end = (start + s.kernel[1]).clamp(first, s.padding + s.width);
    let base = (image * s.height + padded_row - s.padding) * s.width;
    let pixel = |padded: usize| (base + padded - s.padding) * s.in_channels;
    Run { zeros_before: first.saturating_sub(start) * s.in_channels, inside: pixel(first)..pixel(end) }
}

/// Writes the windows of the output rows `rows` (counted over all images) to `columns`: a matrix of one row per output
/// pixel and KH·KW·C_in columns, in the weight's order.
pub(super) fn im2col(s: &Conv2dShape, x: &[f32], rows: Range<usize>, columns: &mut [f32]) {
    let run_len = s.kernel[1] * s.in_channels;
    let mut out = columns.chunks_exact_mut(run_len);
    for row in rows {
        for ox in 0..s.out_width() {
            for ky in 0..s.kernel[0] {
                let Some(out) = out.next() else { return };
                let Run { zeros_before, inside } = run(s, row, ox, ky);
                if inside.len() == run_len {
                    out.copy_from_slice(&x[inside]);
                } else {
                    let end = zeros_before.min(run_len) + inside.len();
                    out[..end - inside.len()].fill(0.0);
                    out[end..].fill(0.0);
                    out[end - inside.len()..end].copy_from_slice(&x[inside]);
                }
            }
        }
    }
}

multiversion! {
    /// Adds `columns`, in `im2col`'s order, to the pixels of `dx` they come from. `dx` begins with the first image.
    pub(super) fn col2im(s: &Conv2dShape, columns: &[f32], rows: Range<usize>, dx: &mut [f32]) {
        let run_len = s.kernel[1] * s.in_channels;
        let mut from = columns.chunks_exact(run_len);
        for row in rows {
            for ox in 0..s.out_width() {
                for ky in 0..s.kernel[0] {
                    let Some(from) = from.next() else { return };
                    let Run { zeros_before, inside } = run(s, row, ox, ky);
                    if !inside.is_empty() {
                        let from = &from[zeros_before..zeros_before + inside.len()];
                        dx[inside].iter_mut().zip(from).for_each(|(d, v)| *d += v);
                    }
                }
            }
        }
    }
}

/// Writes what one tap (`ky`, `kx`) of the window sees, channels `channels` only, of the output rows `rows`: a matrix of
/// one row per output pixel.
pub(super) fn gather_tap(
    s: &Conv2dShape,
    x: &[f32],
    rows: Range<usize>,
    [ky, kx]: [usize; 2],
    channels: Range<usize>,
    out: &mut [f32],
) {
    let mut out = out.chunks_exact_mut(channels.len());
    for row in rows {
        let (image, oy) = (row / s.out_height(), row % s.out_height());
        let y = (oy * s.stride + ky).checked_sub(s.padding).filter(|y| *y < s.height);
        for ox in 0..s.out_width() {
            let Some(out) = out.next() else { return };
            let pixel = (ox * s.stride + kx).checked_sub(s.padding).filter(|x| *x < s.width);
            match (y, pixel) {
                (Some(y), Some(pixel)) => {
                    let base = ((image * s.height + y) * s.width + pixel) * s.in_channels;
                    out.copy_from_slice(&x[base + channels.start..base + channels.end]);
                }
                _ => out.fill(0.0),
            }
        }
    }
}
