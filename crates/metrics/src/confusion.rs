//! Which class was taken for which.

use crate::MetricsError;
use crate::error::{check_classes, check_length};

/// Counts of samples by true class (rows) and predicted class (columns), and what follows from them.
///
/// A figure of a class is `None` where it is undefined: the recall of a class that no sample has, the precision of a
/// class that is never predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// Of `classes` classes, from the true and the predicted class of each sample, `(n)` each.
    ///
    /// # Errors
    /// Slices of different length, or a class out of range.
    pub fn new(classes: usize, truth: &[usize], predicted: &[usize]) -> Result<Self, MetricsError> {
        check_length("predicted classes", truth.len(), predicted.len())?;
        check_classes("true class of sample", classes, truth)?;
        check_classes("predicted class of sample", classes, predicted)?;
        let mut counts = vec![0; classes * classes];
        for (t, p) in truth.iter().zip(predicted) {
            counts[t * classes + p] += 1;
        }
        Ok(Self { classes, counts })
    }

    /// From counts, `(classes, classes)`, rows true and columns predicted.
    ///
    /// # Errors
    /// A number of counts that is not the square of `classes`.
    pub fn from_counts(classes: usize, counts: Vec<u64>) -> Result<Self, MetricsError> {
        check_length("counts", classes.saturating_mul(classes), counts.len())?;
        Ok(Self { classes, counts })
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The counts, `(classes, classes)`, rows true and columns predicted.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Samples of class `truth` that were taken for class `predicted`; none for a class out of range.
    #[must_use]
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        if truth < self.classes && predicted < self.classes {
            self.counts[truth * self.classes + predicted]
        } else {
            0
        }
    }

    /// Samples of this class.
    #[must_use]
    pub fn actual(&self, class: usize) -> u64 {
        (0..self.classes).map(|predicted| self.count(class, predicted)).sum()
    }

    /// Samples taken for this class.
    #[must_use]
    pub fn predicted(&self, class: usize) -> u64 {
        (0..self.classes).map(|truth| self.count(truth, class)).sum()
    }

    /// All samples.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share of all samples that were right; `None` if there are none.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        share((0..self.classes).map(|class| self.count(class, class)).sum(), self.total())
    }

    /// The share of the class's samples that were right, also called its accuracy.
    #[must_use]
    pub fn recall(&self, class: usize) -> Option<f64> {
        share(self.count(class, class), self.actual(class))
    }

    /// The share of the samples taken for the class that are of it.
    #[must_use]
    pub fn precision(&self, class: usize) -> Option<f64> {
        share(self.count(class, class), self.predicted(class))
    }

    /// The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN). `None` for a class that is neither there nor
    /// predicted.
    #[must_use]
    pub fn f1(&self, class: usize) -> Option<f64> {
        share(2 * self.count(class, class), self.actual(class) + self.predicted(class))
    }

    /// [`recall`](Self::recall) of every class.
    #[must_use]
    pub fn per_class_accuracy(&self) -> Vec<Option<f64>> {
        (0..self.classes).map(|class| self.recall(class)).collect()
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
