use crate::CamError;
use candle_core::Tensor;

/// What a map may be enlarged to: as much as any photo has.
const MOST_PIXELS: usize = 100_000_000;

/// Resizes a map of `from = (height, width)` values to `to`, bilinearly: pixel centres are at half-integers, places outside the
/// outermost centres take their value. This is `cv2.resize(…, INTER_LINEAR)` on floats; it does not average when it shrinks.
///
/// # Errors
/// [`CamError::Shape`] if `values` is not of that size, or a size is 0; [`CamError::Setting`] if the new one is above 100 million pixels.
pub fn resize_bilinear(
    values: &[f32],
    from: (usize, usize),
    to: (usize, usize),
) -> Result<Vec<f32>, CamError> {
    if Some(values.len()) != from.0.checked_mul(from.1) || values.is_empty() || to.0 == 0 || to.1 == 0 {
        return Err(CamError::Shape {
            what: "map to be resized",
            expected: format!("{from:?} values, and the new size {to:?} above 0"),
            got: values.len().into(),
        });
    }
    if to.0.checked_mul(to.1).is_none_or(|pixels| pixels > MOST_PIXELS) {
        return Err(CamError::Setting {
            name: "new size of a map",
            expected: format!("at most {MOST_PIXELS} pixels"),
            got: format!("{}×{}", to.0, to.1),
        });
    }
    let columns = samples(from.1, to.1);
    let mut out = Vec::with_capacity(to.0 * to.1);
    for (above, below, down) in samples(from.0, to.0) {
        let row = |y: usize| &values[y * from.1..][..from.1];
        let (above, below) = (row(above), row(below));
        out.extend(columns.iter().map(|&(left, right, across)| {
            let upper = above[left] + across * (above[right] - above[left]);
            let lower = below[left] + across * (below[right] - below[left]);
            upper + down * (lower - upper)
        }));
    }
    Ok(out)
}

/// For each of `to` places along an axis of `from` pixels: the pixels before and after it, and the latter's share.
fn samples(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let scale = from as f64 / to as f64;
    let sample = |i: usize| {
        let place = ((i as f64 + 0.5) * scale - 0.5).clamp(0.0, (from - 1) as f64);
        let before = place as usize;
        (before, (before + 1).min(from - 1), (place - before as f64) as f32)
    };
    (0..to).map(sample).collect()
}

/// The matrix `(to, from)`, of the type and on the device of `like`, that enlarges an axis linearly with its ends aligned:
/// PyTorch's `UpsamplingBilinear2d`, the two axes one after the other.
pub(crate) fn aligned_corners(from: usize, to: usize, like: &Tensor) -> Result<Tensor, CamError> {
    let scale = if to > 1 { (from - 1) as f64 / (to - 1) as f64 } else { 0.0 };
    let mut matrix = vec![0f64; to * from];
    for (i, row) in matrix.chunks_exact_mut(from).enumerate() {
        let place = (i as f64 * scale).min((from - 1) as f64);
        let before = place as usize;
        row[before] += 1.0 - place.fract();
        row[(before + 1).min(from - 1)] += place.fract();
    }
    Ok(Tensor::from_vec(matrix, (to, from), like.device())?.to_dtype(like.dtype())?)
}
