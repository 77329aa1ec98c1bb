//! The definitions, in plain loops, of checked arguments.

use super::Pool2dShape;

/// `(y, indices)` of [`max_pool2d_forward`](crate::max_pool2d_forward).
pub fn max_pool2d_forward(s: &Pool2dShape, x: &[f32]) -> (Vec<f32>, Vec<u32>) {
    windows(s)
        .map(|window| {
            let mut best: Option<usize> = None;
            for place in window {
                if best.is_none_or(|b| x[place] > x[b] || x[place].is_nan()) {
                    best = Some(place);
                }
            }
            best.map_or((f32::NEG_INFINITY, 0), |b| (x[b], (b / s.channels % (s.height * s.width)) as u32))
        })
        .unzip()
}

/// `dx` of [`max_pool2d_backward`](crate::max_pool2d_backward).
pub fn max_pool2d_backward(s: &Pool2dShape, dy: &[f32], indices: &[u32]) -> Vec<f32> {
    let mut dx = vec![0.0; s.input_len()];
    for (i, (dy, index)) in dy.iter().zip(indices).enumerate() {
        let image = i / (s.out_height() * s.out_width() * s.channels);
        dx[(image * s.height * s.width + *index as usize) * s.channels + i % s.channels] += dy;
    }
    dx
}

/// `y` of [`avg_pool2d_forward`](crate::avg_pool2d_forward).
pub fn avg_pool2d_forward(s: &Pool2dShape, x: &[f32]) -> Vec<f32> {
    windows(s)
        .map(|window| window.iter().map(|p| x[*p]).sum::<f32>() / (s.kernel * s.kernel) as f32)
        .collect()
}

/// `dx` of [`avg_pool2d_backward`](crate::avg_pool2d_backward).
pub fn avg_pool2d_backward(s: &Pool2dShape, dy: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; s.input_len()];
    for (window, dy) in windows(s).zip(dy) {
        for place in window {
            dx[place] += dy / (s.kernel * s.kernel) as f32;
        }
    }
    dx
}

/// For each output value, in order, the places of its window in the input, row by row.
fn windows(s: &Pool2dShape) -> impl Iterator<Item = Vec<usize>> + '_ {
    (0..s.output_len()).map(|i| {
        let (pixel, c) = (i / s.channels, i % s.channels);
        let (row, ox) = (pixel / s.out_width(), pixel % s.out_width());
        let (n, oy) = (row / s.out_height(), row % s.out_height());
        (0..s.kernel * s.kernel)
            .map(|k| {
                let (y, x) = (oy * s.stride + k / s.kernel, ox * s.stride + k % s.kernel);
                ((n * s.height + y) * s.width + x) * s.channels + c
            })
            .collect()
    })
}
