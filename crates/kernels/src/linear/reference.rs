//! The definition, in plain loops and f64, of checked arguments.

use super::LinearShape;

/// `y` of [`linear_forward`](crate::linear_forward).
pub fn linear_forward(s: &LinearShape, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    (0..s.batch * s.out_features)
        .map(|i| {
            let (n, o) = (i / s.out_features, i % s.out_features);
            let row = x[n * s.in_features..].iter().take(s.in_features);
            let sum: f64 =
                row.zip(&weight[o * s.in_features..]).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
            (sum + bias.map_or(0.0, |b| f64::from(b[o]))) as f32
        })
        .collect()
}

/// `(dx, dweight, dbias)` of [`linear_backward`](crate::linear_backward).
pub fn linear_backward(
    s: &LinearShape,
    x: &[f32],
    weight: &[f32],
    dy: &[f32],
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (mut dx, mut dweight) = (vec![0f64; x.len()], vec![0f64; weight.len()]);
    let mut dbias = vec![0f64; s.out_features];
    for n in 0..s.batch {
        for o in 0..s.out_features {
            let g = f64::from(dy[n * s.out_features + o]);
            dbias[o] += g;
            for i in 0..s.in_features {
                dx[n * s.in_features + i] += g * f64::from(weight[o * s.in_features + i]);
                dweight[o * s.in_features + i] += g * f64::from(x[n * s.in_features + i]);
            }
        }
    }
    let narrow = |v: Vec<f64>| v.into_iter().map(|v| v as f32).collect();
    (narrow(dx), narrow(dweight), narrow(dbias))
}
