//! What a page needs to know of a recipe's text.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};
use wick_runs::read_text;

use crate::ReportError;

/// A recipe as it stands in its file.
pub(crate) struct Recipe {
    pub text: String,
    table: Table,
}

impl Recipe {
    pub(crate) fn read(path: &Path) -> Result<Self, ReportError> {
        let text = read_text(path)?;
        let table = text
            .parse()
            .map_err(|source| ReportError::Recipe { path: path.to_owned(), source: Box::new(source) })?;
        Ok(Self { text, table })
    }

    /// The value at `section.key`, as people write it.
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        let mut keys = key.split('.');
        let first = self.table.get(keys.next()?)?;
        keys.try_fold(first, |value, key| value.get(key)).map(plain)
    }

    /// The number at `section.key`, if it is above 0.
    pub(crate) fn above_zero(&self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok().filter(|n| *n > 0)
    }

    /// Every value by its key; those of lists of tables are numbered from 1: `transforms.2.p`.
    pub(crate) fn flat(&self) -> BTreeMap<String, String> {
        let mut flat = BTreeMap::new();
        for (key, value) in &self.table {
            flatten(key, value, &mut flat);
        }
        flat
    }
}

fn flatten(key: &str, value: &Value, flat: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => {
            for (inner, value) in table {
                flatten(&format!("{key}.{inner}"), value, flat);
            }
        }
        Value::Array(values) if values.iter().any(Value::is_table) => {
            for (i, value) in (1..).zip(values) {
                flatten(&format!("{key}.{i}"), value, flat);
            }
        }
        _ => drop(flat.insert(key.to_owned(), plain(value))),
    }
}

/// A text without quotes, anything else as TOML has it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_flattened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let text = "name = \"mine\"\n[data]\nholdout = 0\nlimit = 5\n[[transforms]]\ntransform = \"normalize\"\nmean = [0.5, 0.25]\n";
        std::fs::write(&path, text).unwrap();
        let recipe = Recipe::read(&path).unwrap();
        assert_eq!(recipe.get("name").unwrap(), "mine");
        assert_eq!((recipe.above_zero("data.holdout"), recipe.above_zero("data.limit")), (None, Some(5)));
        assert_eq!(recipe.get("data.limit.deeper"), None);
        let flat: Vec<(String, String)> = recipe.flat().into_iter().collect();
        let expected = [
            ("data.holdout", "0"),
            ("data.limit", "5"),
            ("name", "mine"),
            ("transforms.1.mean", "[0.5, 0.25]"),
            ("transforms.1.transform", "normalize"),
        ];
        assert_eq!(flat, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));

        std::fs::write(&path, "name = ").unwrap();
        let said = Recipe::read(&path).err().unwrap().to_string();
        assert!(said.contains("mine.toml is not valid TOML"), "{said}");
    }
}
