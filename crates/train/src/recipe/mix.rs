//! Images that are mixed in training.

use serde::{Deserialize, Serialize};

use super::Recipe;
use crate::TrainError;

/// `train.mix`: what each training image gets of another one of its batch. Both labels count then, by their shares of the image: the loss
/// is `λ·CE(own) + (1 − λ)·CE(partner's)`, and train accuracy counts the label with the larger share.
///
/// Each choice holds the α of λ ~ Beta(α, α): a small one leaves most images nearly alone, 1 makes all shares equally likely.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mix {
    /// Nothing.
    #[default]
    None,
    /// A share of all its pixels (Zhang et al. 2018).
    Mixup(f64),
    /// All of the pixels of a box (Yun et al. 2019), in every batch.
    Cutmix(f64),
}

impl Mix {
    /// Its name in a recipe, and α.
    pub(crate) const fn told(self) -> Option<(&'static str, f64)> {
        match self {
            Self::None => None,
            Self::Mixup(alpha) => Some(("mixup", alpha)),
            Self::Cutmix(alpha) => Some(("cutmix", alpha)),
        }
    }
}

impl Recipe {
    /// Whether α is one that Beta has.
    pub(super) fn check_mix(&self) -> Result<(), TrainError> {
        match self.train.mix.told() {
            Some((key, alpha)) if !(alpha > 0.0 && alpha <= 1000.0) => Err(TrainError::Value {
                key: format!("train.mix.{key}"),
                value: alpha.to_string(),
                allowed: "above 0, to 1000: the alpha of Beta(alpha, alpha)".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
