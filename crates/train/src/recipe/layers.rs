//! Merging layers of TOML into a recipe.

use std::path::Path;

use toml::{Table, Value};

use super::Recipe;
use crate::TrainError;

/// A recipe under construction: TOML tables laid over one another.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    table: Table,
}

impl Layers {
    /// Lays the TOML in `text` over what is there; `origin` names it in errors.
    ///
    /// # Errors
    /// Text that is no TOML, with line and column.
    pub fn over(mut self, origin: &str, text: &str) -> Result<Self, TrainError> {
        let table: Table = text.parse().map_err(|e: toml::de::Error| TrainError::RecipeSyntax {
            origin: origin.to_owned(),
            message: e.to_string(),
        })?;
        merge(&mut self.table, table);
        Ok(self)
    }

    /// Lays a TOML file over what is there.
    ///
    /// # Errors
    /// An unreadable file, or one that is no TOML.
    pub fn over_file(self, path: &Path) -> Result<Self, TrainError> {
        let text = std::fs::read_to_string(path).map_err(|source| TrainError::Read {
            path: path.to_owned(),
            what: "a recipe",
            source,
        })?;
        self.over(&path.display().to_string(), &text)
    }

    /// Sets one value by its dotted key, as `--set train.epochs=3` does. What is no TOML value is taken as a string.
    ///
    /// # Errors
    /// An assignment without `=`, an empty key, or a key that leads through something that is no table.
    pub fn set(mut self, assignment: &str) -> Result<Self, TrainError> {
        let wrong =
            |why: &str| TrainError::Assignment { assignment: assignment.to_owned(), why: why.to_owned() };
        let (key, value) = assignment.split_once('=').ok_or_else(|| wrong("there is no `=`"))?;
        let mut path: Vec<&str> = key.trim().split('.').collect();
        let last = path.pop().filter(|k| !k.is_empty()).ok_or_else(|| wrong("the key is empty"))?;
        let mut table = &mut self.table;
        for part in path {
            table = table
                .entry(part)
                .or_insert_with(|| Value::Table(Table::new()))
                .as_table_mut()
                .ok_or_else(|| wrong(&format!("`{part}` is not a table")))?;
        }
        let value = format!("v = {}", value.trim())
            .parse::<Table>()
            .ok()
            .and_then(|mut t| t.remove("v"))
            .unwrap_or_else(|| Value::String(value.trim().to_owned()));
        if last == "kind" && table.get("kind") != Some(&value) {
            table.clear(); // as a layer would: what belongs to another kind goes with it
        }
        table.insert(last.to_owned(), value);
        Ok(self)
    }

    /// The typed recipe, checked.
    ///
    /// # Errors
    /// An unknown key (the nearest known one is named), a missing one, a value of another type or out of range.
    pub fn resolve(self) -> Result<Recipe, TrainError> {
        let recipe: Recipe = Value::Table(self.table)
            .try_into()
            .map_err(|e: toml::de::Error| TrainError::Recipe { message: explain(&e.to_string()) })?;
        recipe.check()?;
        Ok(recipe)
    }
}

/// A recipe as TOML text.
impl std::fmt::Display for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&toml::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) if !replaces(&key, old, &new) => merge(old, new),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Keys whose table names one of several choices, as `momentum = { nesterov = 0.9 }` does: another choice takes nothing over.
const CHOICES: [&str; 5] = ["alpha", "clip", "mix", "mode", "momentum"];

fn replaces(key: &str, old: &Table, new: &Table) -> bool {
    CHOICES.contains(&key) || new.get("kind").is_some_and(|kind| old.get("kind") != Some(kind))
}

/// Adds the nearest known key to the deserialiser's words on an unknown one.
fn explain(message: &str) -> String {
    let message = message.trim().replace('\n', " ");
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let is_unknown = message.contains("unknown field") || message.contains("unknown variant");
    let Some((unknown, known)) = names.split_first().filter(|_| is_unknown) else {
        return message;
    };
    let nearest = known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(unknown, k), *k))
        .min()
        .filter(|(distance, k)| *distance <= k.len().max(unknown.len()) / 2);
    match nearest {
        Some((_, nearest)) => format!("{message}; did you mean `{nearest}`?"),
        None => message,
    }
}
