//! What a published run logged, for comparison.

use serde::{Deserialize, Serialize};

/// `[published]`: figures of the run that a recipe repeats. Accuracies are fractions of the test split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Epochs it ran.
    pub epochs: usize,
    /// Steps of each.
    pub steps_per_epoch: usize,
    /// Test accuracy after each epoch.
    pub test_accuracy: Vec<f64>,
    /// The best training accuracy of any epoch.
    pub best_train_accuracy: f64,
    /// Test accuracy of each class after the last epoch.
    pub per_class: Vec<f64>,
    /// The learning rate used by each epoch's last step.
    pub learning_rates: Vec<f64>,
    /// What its range test suggested.
    pub lr_suggestion: f64,
    /// Its model summary's totals.
    pub summary: PublishedSummary,
}

/// A model summary's totals, as printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedSummary {
    /// Images of the batch it describes.
    pub batch_size: usize,
    /// Trainable numbers.
    pub parameters: u64,
    /// Multiply-adds of a forward pass, in units of 1e9.
    pub mult_adds_g: f64,
    /// Activations forward and backward, in units of 1e6 bytes.
    pub forward_backward_mb: f64,
    /// Parameters, in units of 1e6 bytes.
    pub parameters_mb: f64,
    /// All together with the input, in units of 1e6 bytes.
    pub total_mb: f64,
}
