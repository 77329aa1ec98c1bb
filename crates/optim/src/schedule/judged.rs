//! What a plateau looks at.

use serde::{Deserialize, Serialize};

/// What an epoch ended with, on the images that judge it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Mean loss.
    #[serde(with = "any_number")]
    pub loss: f64,
    /// Share of right answers.
    #[serde(with = "any_number")]
    pub accuracy: f64,
}

/// JSON has no NaN and no infinity, and a run that diverges has such losses: they are written as strings.
mod any_number {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Number {
        Finite(f64),
        Other(String),
    }

    pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        let number = match number.is_finite() {
            true => Number::Finite(*number),
            false => Number::Other(number.to_string()),
        };
        number.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Number::deserialize(deserializer)? {
            Number::Finite(number) => Ok(number),
            Number::Other(text) => {
                text.parse().map_err(|_| D::Error::custom(format!("{text:?} is no number")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        for loss in [0.1, 2.0, 1e-300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let json = serde_json::to_string(&Judged { loss, accuracy: 0.5 }).unwrap();
            let back: Judged = serde_json::from_str(&json).unwrap();
            assert_eq!((back.loss.to_bits(), back.accuracy), (loss.to_bits(), 0.5), "{json}");
        }
        let error = serde_json::from_str::<Judged>(r#"{"loss":"much","accuracy":0.5}"#).unwrap_err();
        assert!(error.to_string().contains("\"much\" is no number"), "{error}");
    }
}
