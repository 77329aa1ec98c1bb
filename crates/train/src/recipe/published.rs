//! What a published run logged, for comparison.

use serde::{Deserialize, Serialize};

use super::Recipe;
use crate::TrainError;

/// `[published]`: figures of the run that a recipe repeats, as far as they are known. Accuracies are fractions of the test split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Published {
    /// Epochs it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// Steps of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps_per_epoch: Option<usize>,
    /// Test accuracy after each epoch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_accuracy: Vec<f64>,
    /// Test accuracy after the last epoch, where no other is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_test_accuracy: Option<f64>,
    /// The best train accuracy of any epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_train_accuracy: Option<f64>,
    /// Test accuracy of each class after the last epoch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub per_class: Vec<f64>,
    /// The learning rate used by each epoch's last step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub learning_rates: Vec<f64>,
    /// What its range test suggested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr_suggestion: Option<f64>,
    /// Its model summary's totals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<PublishedSummary>,
}

/// A model summary's totals, as printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedSummary {
    /// Images of the batch it describes.
    pub batch_size: usize,
    /// Trainable numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Multiply-adds of a forward pass, in units of 1e9.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mult_adds_g: Option<f64>,
    /// Activations forward and backward, in units of 1e6 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_backward_mb: Option<f64>,
    /// Parameters, in units of 1e6 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters_mb: Option<f64>,
    /// All together with the input, in units of 1e6 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_mb: Option<f64>,
}

impl Published {
    /// Test accuracy after the last epoch.
    pub fn last(&self) -> Option<f64> {
        self.test_accuracy.last().copied().or(self.last_test_accuracy)
    }
}

impl Recipe {
    /// Whether what was published goes together.
    pub(super) fn check_published(&self) -> Result<(), TrainError> {
        let Some(published) = &self.published else { return Ok(()) };
        let value = |key: &str, value: String, allowed: &str| {
            Err(TrainError::Value { key: format!("published.{key}"), value, allowed: allowed.to_owned() })
        };
        for (key, list) in
            [("test_accuracy", &published.test_accuracy), ("learning_rates", &published.learning_rates)]
        {
            if !list.is_empty() && published.epochs != Some(list.len()) {
                let told = format!("a list of {}", list.len());
                return value(key, told, "one value for each of published.epochs, which has to be there");
            }
        }
        if !published.learning_rates.is_empty() && published.steps_per_epoch.is_none_or(|steps| steps == 0) {
            let told = format!("a list of {}", published.learning_rates.len());
            return value("learning_rates", told, "a list beside published.steps_per_epoch, 1 or more");
        }
        if !published.test_accuracy.is_empty() && published.last_test_accuracy.is_some() {
            return value(
                "last_test_accuracy",
                "given twice".to_owned(),
                "none beside published.test_accuracy, whose last it is",
            );
        }
        Ok(())
    }
}
