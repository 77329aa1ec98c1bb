//! The definition, term by term in f64, for logits small enough to exponentiate.

/// The mean loss of checked arguments.
pub fn cross_entropy_forward(logits: &[f32], classes: usize, targets: &[u32], label_smoothing: f32) -> f64 {
    let mut total = 0.0;
    for (row, target) in logits.chunks_exact(classes).zip(targets) {
        for (k, p) in softmax(row).into_iter().enumerate() {
            total -= wanted(k, *target, classes, label_smoothing) * p.ln();
        }
    }
    total / targets.len() as f64
}

/// The gradient of the mean loss.
pub fn cross_entropy_backward(
    logits: &[f32],
    classes: usize,
    targets: &[u32],
    label_smoothing: f32,
) -> Vec<f32> {
    let n = targets.len() as f64;
    let rows = logits.chunks_exact(classes).zip(targets);
    rows.flat_map(|(row, target)| {
        let p = softmax(row).into_iter().enumerate();
        p.map(move |(k, p)| ((p - wanted(k, *target, classes, label_smoothing)) / n) as f32)
    })
    .collect()
}

fn softmax(row: &[f32]) -> Vec<f64> {
    let sum: f64 = row.iter().map(|z| f64::from(*z).exp()).sum();
    row.iter().map(|z| f64::from(*z).exp() / sum).collect()
}

fn wanted(k: usize, target: u32, classes: usize, smoothing: f32) -> f64 {
    let hit = if k == target as usize { 1.0 - f64::from(smoothing) } else { 0.0 };
    hit + f64::from(smoothing) / classes as f64
}
