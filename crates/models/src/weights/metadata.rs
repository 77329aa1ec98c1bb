//! What a checkpoint says of itself.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;

const ARCHITECTURE: &str = "architecture";
const CLASSES: &str = "classes";
const NORMALISATION: &str = "normalisation";
const FORMAT: &str = "format";

/// The mean and deviation, per channel (red, green, blue, of values in 0 to 1), that images were normalised with:
/// `(x − mean) / std`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Mean of each channel.
    pub mean: [f32; 3],
    /// Deviation of each channel.
    pub std: [f32; 3],
}

/// What a checkpoint says of itself, in the metadata of its safetensors header. A foreign file says none of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// Which network: key `architecture`, its name.
    pub architecture: Option<Architecture>,
    /// The names of the classes in the order of the outputs: key `classes`, a JSON list.
    pub classes: Option<Vec<String>>,
    /// How images were normalised: key `normalisation`, JSON `{"mean": [...], "std": [...]}`.
    pub normalisation: Option<Normalisation>,
    /// Anything else, under keys of its own.
    pub extra: BTreeMap<String, String>,
}

impl Metadata {
    /// The header's entries. Those of another program that mean something else by a key are left in `extra`.
    pub(super) fn from_entries(entries: HashMap<String, String>) -> Self {
        let mut extra: BTreeMap<_, _> = entries.into_iter().collect();
        extra.remove(FORMAT);
        let architecture = take(&mut extra, ARCHITECTURE, |text| text.parse().ok());
        let classes = take(&mut extra, CLASSES, |text| serde_json::from_str(text).ok());
        let normalisation = take(&mut extra, NORMALISATION, |text| serde_json::from_str(text).ok());
        Self { architecture, classes, normalisation, extra }
    }

    /// The entries to write, in a fixed order.
    pub(super) fn entries(&self) -> serde_json::Result<BTreeMap<String, String>> {
        let mut entries = self.extra.clone();
        // What Hugging Face's tools write for tensors of PyTorch's layout, and some ask for.
        entries.insert(FORMAT.to_owned(), "pt".to_owned());
        if let Some(architecture) = self.architecture {
            entries.insert(ARCHITECTURE.to_owned(), architecture.to_string());
        }
        if let Some(classes) = &self.classes {
            entries.insert(CLASSES.to_owned(), serde_json::to_string(classes)?);
        }
        if let Some(normalisation) = &self.normalisation {
            entries.insert(NORMALISATION.to_owned(), serde_json::to_string(normalisation)?);
        }
        Ok(entries)
    }
}

fn take<T>(
    entries: &mut BTreeMap<String, String>,
    key: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let value = parse(entries.get(key)?)?;
    entries.remove(key);
    Some(value)
}
