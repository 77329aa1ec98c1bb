//! Variables that are optimised otherwise than the rest.

use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::check::not_negative;

/// Some variables, and by what their learning rate and weight decay differ from the optimiser's.
///
/// In a configuration file `{ of = "vectors", weight_decay = 0.0 }` or `{ of = { named = "bn" }, lr = 64.0 }`. Both are factors: on
/// whatever learning rate a schedule sets, its peaks and floors included. (AdamW's decay is multiplied by both.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Which.
    pub of: Members,
    /// How often the optimiser's learning rate, 1 unless told.
    #[serde(rename = "lr", default = "once")]
    pub learning_rate: f64,
    /// How often the optimiser's weight decay, 1 unless told.
    #[serde(default = "once")]
    pub weight_decay: f64,
}

/// Which variables are in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Members {
    /// Those of at most one axis: biases, and the scales of norms.
    Vectors,
    /// Those with this in their names.
    Named(String),
}

fn once() -> f64 {
    1.0
}

impl std::fmt::Display for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Vectors => f.write_str("of = \"vectors\""),
            Self::Named(part) => write!(f, "of = {{ named = {part:?} }}"),
        }
    }
}

impl Group {
    /// Whether every option is in its range.
    ///
    /// # Errors
    /// [`OptimError::Option`], naming key and value.
    pub fn check(&self) -> Result<(), OptimError> {
        not_negative("groups.lr", self.learning_rate)?;
        not_negative("groups.weight_decay", self.weight_decay)
    }

    /// Whether a variable of that name with so many axes is in it.
    pub fn has(&self, name: &str, axes: usize) -> bool {
        match &self.of {
            Members::Vectors => axes <= 1,
            Members::Named(part) => name.contains(part.as_str()),
        }
    }
}
