//! Parameters that are not trained to the end.

use serde::{Deserialize, Serialize};
use wick_models::Role;

use super::Recipe;
use crate::TrainError;

/// `[[train.freeze]]`: some parameters, and how long they are trained. After that no step changes them, as PyTorch's
/// `requires_grad = False`. (An average goes on: a lookahead, whose slow weights are still on their way, moves them at its next meeting.)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Those with this in their names.
    pub named: String,
    /// Epochs in which they are trained: 0 leaves them as they start; where the run has no more, they are trained throughout.
    pub after_epochs: usize,
}

impl Recipe {
    /// What is in the names of the parameters that an epoch, counted from 1, leaves alone.
    pub fn frozen(&self, epoch: u64) -> Vec<&str> {
        let over = |f: &&Freeze| f.after_epochs as u64 <= epoch.saturating_sub(1);
        self.train.freeze.iter().filter(over).map(|f| f.named.as_str()).collect()
    }

    /// Whether each of them is a parameter of the network, and could be trained.
    pub(super) fn check_freeze(&self) -> Result<(), TrainError> {
        if self.train.freeze.is_empty() {
            return Ok(());
        }
        // Names do not depend on the number of classes.
        let parameters = self.model.architecture.parameters(1)?;
        let trained: Vec<&str> =
            parameters.iter().filter(|p| p.role == Role::Trainable).map(|p| p.name.as_str()).collect();
        for Freeze { named, .. } in &self.train.freeze {
            if !trained.iter().any(|name| name.contains(named.as_str())) {
                let allowed = format!(
                    "what is in the name of a trained parameter of {}: {}",
                    self.model.architecture,
                    trained.join(", ")
                );
                return Err(TrainError::Value {
                    key: "train.freeze.named".into(),
                    value: format!("{named:?}"),
                    allowed,
                });
            }
        }
        Ok(())
    }
}
