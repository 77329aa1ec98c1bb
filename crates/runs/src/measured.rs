//! What the recipes reached here, as it comes with the program.

use serde::{Deserialize, Serialize};

use crate::Row;

/// Whole runs of one recipe, on one kind of machine, that differ in their seeds alone. The network after the last epoch was judged by all
/// of the test split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuredRow {
    /// The recipe's name.
    pub recipe: String,
    /// How activations were stored: `f32`, `tf32`, `bf16`.
    pub precision: String,
    /// The machine's name in the runs' folders.
    pub machine: String,
    /// How many runs.
    pub runs: usize,
    /// Epochs of each.
    pub epochs: u64,
    /// Mean of their test accuracies, a fraction.
    pub test_accuracy: f64,
    /// Standard deviation of these (n − 1); none of a single run.
    pub deviation: Option<f64>,
}

impl Row for MeasuredRow {
    const COLUMNS: &'static [&'static str] =
        &["recipe", "precision", "machine", "runs", "epochs", "test_accuracy", "deviation"];
}
