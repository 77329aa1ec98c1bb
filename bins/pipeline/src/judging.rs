//! What a network says of every image that judges it.

use anyhow::Result;
use wick_runs::{PredictionRow, Predictions};
use wick_train::{Evaluation, evaluate};

use crate::compute::Asked;
use crate::progress::counting;
use crate::source::Subject;

/// Judges the network on all of its images, under a bar.
pub fn judge(subject: &Subject, asked: Asked) -> Result<Evaluation> {
    let (split, indices) = subject.data.judging();
    let bar = counting("evaluate", indices.len(), "images");
    Ok(evaluate(
        asked.open()?.judge(&subject.network, subject.options)?.as_mut(),
        &subject.augmentation,
        split,
        &indices,
        subject.evaluation,
        &mut |done| bar.at(done),
    )?)
}

/// The same as a table.
pub fn predictions(e: &Evaluation, class_names: &[String]) -> Predictions {
    let judged = e.truth.iter().zip(&e.predicted).zip(&e.probabilities);
    let row = |(&index, ((&truth, &predicted), probabilities)): (&usize, ((&usize, &usize), &Vec<f32>))| {
        PredictionRow { index, truth, predicted, probabilities: probabilities.clone() }
    };
    Predictions { class_names: class_names.to_vec(), rows: e.indices.iter().zip(judged).map(row).collect() }
}
