//! The definition.

/// `x + bias` in each row.
pub fn bias_forward(x: &[f32], bias: &[f32]) -> Vec<f32> {
    x.iter().enumerate().map(|(i, v)| v + bias[i % bias.len()]).collect()
}

/// The sum of the rows of `dy`, in f64.
pub fn bias_backward(dy: &[f32], channels: usize) -> Vec<f32> {
    let column = |c| dy.iter().skip(c).step_by(channels).map(|v| f64::from(*v)).sum::<f64>() as f32;
    (0..channels).map(column).collect()
}
