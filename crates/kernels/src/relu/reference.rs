//! The definition.

/// `max(x, 0)` of each value.
pub fn relu_forward(x: &[f32]) -> Vec<f32> {
    x.iter().map(|v| if v.is_nan() { *v } else { v.max(0.0) }).collect()
}

/// The gradient, given the output `y`.
pub fn relu_backward(y: &[f32], dy: &[f32]) -> Vec<f32> {
    y.iter().zip(dy).map(|(y, dy)| if *y > 0.0 || y.is_nan() { *dy } else { 0.0 }).collect()
}

/// `max(a + b, 0)` of each pair.
pub fn add_relu_forward(a: &[f32], b: &[f32]) -> Vec<f32> {
    let sums: Vec<f32> = a.iter().zip(b).map(|(a, b)| a + b).collect();
    relu_forward(&sums)
}
