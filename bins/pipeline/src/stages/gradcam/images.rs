//! Which images are explained.

use anyhow::{Result, bail};
use wick_cifar::Split;
use wick_runs::Predictions;
use wick_train::Compute;

use crate::source::Subject;

/// One image of the split that judges, and what the network says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    pub index: usize,
    pub truth: usize,
    pub predicted: usize,
    /// Of the predicted class.
    pub probability: f32,
}

impl Judged {
    pub fn is_right(&self) -> bool {
        self.truth == self.predicted
    }
}

/// Images to explain.
pub struct Images {
    pub indices: Vec<usize>,
    pub truth: Vec<usize>,
    /// What was said when they were judged, from several views where the recipe asks for these; none where the network is yet to be
    /// asked.
    pub judged: Option<Vec<Judged>>,
    /// `(H, W, 3)` bytes one after another.
    pub bytes: Vec<u8>,
    pub chosen: Chosen,
}

/// Why images are explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// By what was said of them: first the misclassified ones, then those that the network was unsure of.
    Judged,
    /// The command line names them.
    Named,
    /// A photo from elsewhere, and what it is called.
    Photo(String),
}

impl Images {
    /// Those of `split` at `indices`.
    fn new(split: &Split, indices: Vec<usize>, chosen: Chosen) -> Self {
        let truth = indices.iter().map(|&i| usize::from(split.label(i))).collect();
        let bytes = indices.iter().flat_map(|&i| split.image(i)).copied().collect();
        Self { indices, truth, judged: None, bytes, chosen }
    }

    /// Those of `split` that were judged so.
    pub fn judged(split: &Split, judged: Vec<Judged>) -> Self {
        let indices = judged.iter().map(|j| j.index).collect();
        Self { judged: Some(judged), ..Self::new(split, indices, Chosen::Judged) }
    }

    /// What a picture of them shows, in its title.
    pub fn words(&self) -> String {
        match (&self.chosen, self.indices.len()) {
            (Chosen::Photo(name), _) => name.clone(),
            (_, 1) => "1 image".to_owned(),
            (_, n) => format!("{n} images"),
        }
    }

    /// Those that the command line names, and what was said of them, if they were judged.
    pub fn named(subject: &Subject, indices: &[usize], judged: Option<Vec<Judged>>) -> Result<Self> {
        let (split, judging) = subject.data.judging();
        if let Some(i) = indices.iter().find(|i| judging.binary_search(i).is_err()) {
            bail!(
                "--indices names image {i}, which is none of the {} that judge; their indices lie from {} to {}",
                judging.len(),
                judging.first().unwrap_or(&0),
                judging.last().unwrap_or(&0)
            );
        }
        Ok(Self { judged, ..Self::new(split, indices.to_vec(), Chosen::Named) })
    }
}

/// What a run's `evaluate` left.
pub fn of_predictions(predictions: &Predictions) -> Vec<Judged> {
    let judged = |row: &wick_runs::PredictionRow| Judged {
        index: row.index,
        truth: row.truth,
        predicted: row.predicted,
        probability: row.confidence(),
    };
    predictions.rows.iter().map(judged).collect()
}

/// Judges no more images than it takes to find so many misclassified and correct ones.
pub fn judge(subject: &Subject, compute: &Compute, [mistaken, right]: [usize; 2]) -> Result<Vec<Judged>> {
    let (split, all) = subject.data.judging();
    let mut network = compute.judge(&subject.network, subject.options)?;
    let mut found: Vec<Judged> = Vec::new();
    for indices in all.chunks(subject.evaluation.batch_size) {
        let e = wick_train::evaluate(
            network.as_mut(),
            &subject.augmentation,
            split,
            indices,
            subject.evaluation,
            &mut |_| {},
        )?;
        let judged = |i: usize| Judged {
            index: indices[i],
            truth: e.truth[i],
            predicted: e.predicted[i],
            probability: e.probabilities[i][e.predicted[i]],
        };
        found.extend((0..indices.len()).map(judged));
        let correct = found.iter().filter(|j| j.is_right()).count();
        if found.len() - correct >= mistaken && correct >= right {
            break;
        }
    }
    Ok(found)
}

/// The first misclassified ones.
pub fn wrong(judged: &[Judged], n: usize) -> Vec<Judged> {
    judged.iter().filter(|j| !j.is_right()).take(n).copied().collect()
}

/// So many correct ones, evenly spread.
pub fn correct(judged: &[Judged], n: usize) -> Vec<Judged> {
    let all: Vec<Judged> = judged.iter().filter(|j| j.is_right()).copied().collect();
    let n = n.min(all.len());
    (0..n).map(|i| all[i * all.len() / n]).collect()
}

/// The first correct ones of each class.
pub fn correct_of_each_class(judged: &[Judged], classes: usize, n: usize) -> Vec<Judged> {
    let of = |class| judged.iter().filter(move |j| j.is_right() && j.truth == class).take(n).copied();
    (0..classes).flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_among_what_was_judged() {
        let judged: Vec<Judged> = (0..12)
            .map(|i| (10 + i, i % 3, if i < 4 { 0 } else { i % 3 }))
            .map(|(index, truth, predicted)| Judged { index, truth, predicted, probability: 0.5 })
            .collect();
        let indices = |chosen: Vec<Judged>| chosen.iter().map(|j| j.index).collect::<Vec<_>>();
        assert_eq!(indices(wrong(&judged, 5)), [11, 12]);
        assert_eq!(indices(wrong(&judged, 1)), [11]);
        assert_eq!(indices(correct(&judged, 4)), [10, 14, 17, 19]); // of 10, 13, 14 … 21: places 0, 2, 5, 7
        assert_eq!(correct(&judged, 99).len(), 10);
        assert_eq!(correct(&judged, 0), []);
        assert_eq!(indices(correct_of_each_class(&judged, 3, 2)), [10, 13, 14, 17, 15, 18]);
    }
}
