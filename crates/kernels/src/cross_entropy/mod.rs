//! Cross-entropy of logits with whole-number targets and label smoothing.

pub(crate) mod reference;
#[cfg(test)]
mod tests;

use crate::error::{ShapeError, expect_len, expect_positive, volume};

/// The mean over the batch of `−Σ_k q_k·log softmax(logits)_k`, `q = (1 − label_smoothing)·onehot(target) +
/// label_smoothing / classes` (PyTorch's `cross_entropy`; Szegedy et al., *Rethinking the Inception Architecture*, 2016).
/// `logits` is `(N, classes)`, `targets` `(N)`. Summed in f64; 0 for an empty batch.
///
/// # Errors
/// No class, `logits` of another length than `targets` gives, a target that is no class, or a smoothing outside `[0, 1]`.
pub fn cross_entropy_forward(
    logits: &[f32],
    classes: usize,
    targets: &[u32],
    label_smoothing: f32,
) -> Result<f32, ShapeError> {
    expect("cross_entropy_forward", logits, classes, targets, label_smoothing)?;
    let smoothing = f64::from(label_smoothing);
    let mut total = 0.0;
    for (row, target) in logits.chunks_exact(classes).zip(targets) {
        let log_sum = log_sum_exp(row);
        total += (1.0 - smoothing) * (log_sum - f64::from(row[*target as usize]));
        if label_smoothing > 0.0 {
            let mean = row.iter().map(|z| f64::from(*z)).sum::<f64>() / classes as f64;
            total += smoothing * (log_sum - mean);
        }
    }
    Ok((total / targets.len().max(1) as f64) as f32)
}

/// The gradient of [`cross_entropy_forward`]'s mean with respect to the logits: `(softmax − q) / N`, to `dlogits`,
/// `(N, classes)`.
///
/// # Errors
/// As there, or `dlogits` of another length than `logits`.
pub fn cross_entropy_backward(
    logits: &[f32],
    classes: usize,
    targets: &[u32],
    label_smoothing: f32,
    dlogits: &mut [f32],
) -> Result<(), ShapeError> {
    const OP: &str = "cross_entropy_backward";
    expect(OP, logits, classes, targets, label_smoothing)?;
    expect_len(OP, "dlogits", dlogits.len(), logits.len())?;
    let share = 1.0 / targets.len().max(1) as f64;
    let smoothing = f64::from(label_smoothing);
    let rows = logits.chunks_exact(classes).zip(targets);
    for (out, (row, target)) in dlogits.chunks_exact_mut(classes).zip(rows) {
        let log_sum = log_sum_exp(row);
        for (k, (out, z)) in out.iter_mut().zip(row).enumerate() {
            let hit = if k == *target as usize { 1.0 - smoothing } else { 0.0 };
            let wanted = hit + smoothing / classes as f64;
            *out = (((f64::from(*z) - log_sum).exp() - wanted) * share) as f32;
        }
    }
    Ok(())
}

/// `log Σ exp z`, taken relative to the largest so that nothing overflows.
fn log_sum_exp(row: &[f32]) -> f64 {
    let largest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    if largest.is_infinite() {
        // All −∞, or one +∞: the differences below would be NaN where the limit is not.
        return if row.iter().any(|z| z.is_nan()) { f64::NAN } else { largest };
    }
    largest + row.iter().map(|z| (f64::from(*z) - largest).exp()).sum::<f64>().ln()
}

fn expect(
    op: &'static str,
    logits: &[f32],
    classes: usize,
    targets: &[u32],
    label_smoothing: f32,
) -> Result<(), ShapeError> {
    expect_positive(op, &[("classes", classes)])?;
    expect_len(op, "logits", logits.len(), volume(op, "logits", &[targets.len(), classes])?)?;
    if !(0.0..=1.0).contains(&label_smoothing) {
        return Err(ShapeError::NotAFraction { op, name: "label_smoothing", got: label_smoothing });
    }
    match targets.iter().enumerate().find(|(_, t)| **t as usize >= classes) {
        Some((at, target)) => {
            let got = *target as usize;
            Err(ShapeError::IndexOutOfRange { op, name: "targets", at, below: classes, got })
        }
        None => Ok(()),
    }
}
