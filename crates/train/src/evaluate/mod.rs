//! Judging a network on a split.

mod views;

use candle_core::Tensor;
use wick_augment::Augmentation;
use wick_cifar::Split;
use wick_metrics::{accuracy, argmax};

use crate::TrainError;
use crate::compute::Logits;
use crate::data::evaluation_batches;

pub use views::Views;

/// How a network is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluationOptions {
    /// Images at a time; changes no result but by rounding.
    pub batch_size: usize,
    /// Of which views of each image the logits are averaged.
    pub views: Views,
}

/// What a network says of each image of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy, in nats, of the averaged logits, without label smoothing.
    pub loss: f64,
    /// Share of images whose most probable class is the true one.
    pub accuracy: f64,
    /// Index of each image in its split.
    pub indices: Vec<usize>,
    /// True labels.
    pub truth: Vec<usize>,
    /// Most probable classes.
    pub predicted: Vec<usize>,
    /// Softmax probabilities, one row of `classes` an image.
    pub probabilities: Vec<Vec<f32>>,
}

/// Evaluates `network` with its running statistics on the images of `split` at `indices`; `progress` is called with the
/// number of images done.
///
/// # Errors
/// Images or a network that do not fit together.
pub fn evaluate(
    network: &mut dyn Logits,
    augmentation: &Augmentation,
    split: &Split,
    indices: &[usize],
    options: EvaluationOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<Evaluation, TrainError> {
    let mut evaluation = Evaluation {
        loss: 0.0,
        accuracy: 0.0,
        indices: indices.to_vec(),
        truth: Vec::with_capacity(indices.len()),
        predicted: Vec::with_capacity(indices.len()),
        probabilities: Vec::with_capacity(indices.len()),
    };
    let judged = (augmentation, split, indices);
    evaluation.loss = mean_loss_of(network, judged, options, &mut |logits, labels| {
        let classes = logits.len() / labels.len().max(1);
        evaluation.probabilities.extend(logits.chunks_exact(classes.max(1)).map(softmax));
        evaluation.predicted.extend(argmax(logits, classes)?);
        evaluation.truth.extend(labels);
        progress(evaluation.truth.len());
        Ok(())
    })?;
    evaluation.accuracy = accuracy(&evaluation.truth, &evaluation.predicted)?;
    Ok(evaluation)
}

/// The loss of [`evaluate`] alone. It is no number where a logit is none, which is no error here.
pub(crate) fn mean_loss(
    network: &mut dyn Logits,
    augmentation: &Augmentation,
    split: &Split,
    indices: &[usize],
    options: EvaluationOptions,
) -> Result<f64, TrainError> {
    mean_loss_of(network, (augmentation, split, indices), options, &mut |_, _| Ok(()))
}

/// What is told of a batch: its logits `(N, classes)` and labels `(N)`.
type OfBatch<'a> = dyn FnMut(&[f32], &[usize]) -> Result<(), TrainError> + 'a;

/// Tells of each batch's logits `(N, classes)` and labels `(N)`, and returns the mean loss of all images.
fn mean_loss_of(
    network: &mut dyn Logits,
    (augmentation, split, indices): (&Augmentation, &Split, &[usize]),
    options: EvaluationOptions,
    tell: &mut OfBatch<'_>,
) -> Result<f64, TrainError> {
    let mut loss = 0.0;
    for batch in evaluation_batches(augmentation, split, indices, options.batch_size) {
        let batch = batch?;
        let logits = averaged_logits(network, &batch.images, options.views)?;
        let classes = logits.len() / batch.labels.len().max(1);
        for (logits, &label) in logits.chunks_exact(classes.max(1)).zip(&batch.labels) {
            loss += cross_entropy(logits, label);
        }
        tell(&logits, &batch.labels)?;
    }
    Ok(loss / indices.len().max(1) as f64)
}

/// Logits `(N, classes)` of images `(N, H, W, 3)`, the mean over the views of each.
fn averaged_logits(network: &mut dyn Logits, images: &Tensor, views: Views) -> Result<Vec<f32>, TrainError> {
    let mut sum = Vec::new();
    for (view, weight) in views.weighed() {
        let logits = network.logits(&view.of(images)?)?;
        sum.resize(logits.len(), 0.0);
        sum.iter_mut().zip(logits).for_each(|(sum, logit)| *sum += weight * logit);
    }
    Ok(sum)
}

/// Softmax of one image's logits.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f32> = logits.iter().map(|z| (z - max).exp()).collect();
    let sum: f32 = exp.iter().sum();
    exp.iter().map(|e| e / sum).collect()
}

fn cross_entropy(logits: &[f32], label: usize) -> f64 {
    let max = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|&z| (f64::from(z) - max).exp()).sum();
    max + sum.ln() - f64::from(logits[label])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_of_extreme_logits_are_finite() {
        assert_eq!(softmax(&[1000.0, 0.0]), [1.0, 0.0]);
        assert_eq!(softmax(&[-1000.0, -1000.0]), [0.5, 0.5]);
        // -ln(softmax) of 0 beside 1000 is 1000, which the exponential alone could not tell.
        assert_eq!(cross_entropy(&[1000.0, 0.0], 1), 1000.0);
    }
}
