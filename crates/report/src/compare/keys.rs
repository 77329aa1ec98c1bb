//! Where the recipes differ.

use std::collections::{BTreeMap, BTreeSet};

use super::Named;
use super::table::{Cell, Row, Table, section as table_section};
use crate::ReportError;
use crate::frame::Section;

/// What is told of a run that was published, not computed from.
const TOLD: [&str; 2] = ["published.", "description"];

pub(super) fn section(runs: &[Named]) -> Result<Section, ReportError> {
    let recipes: Vec<BTreeMap<String, String>> = runs
        .iter()
        .map(|run| run.run.recipe.as_ref().map(|recipe| recipe.flat()).unwrap_or_default())
        .collect();
    let rows = differing(&recipes).into_iter().map(|key| {
        let of = |recipe: &BTreeMap<String, String>| Cell::plain(recipe.get(key).map_or("–", String::as_str));
        Row { name: key.clone(), cells: recipes.iter().map(of).collect() }
    });
    let rows: Vec<Row> = rows.collect();
    let (id, title) = ("recipes", "Where the recipes differ");
    if rows.is_empty() {
        let lead = "In nothing.".to_owned();
        return Ok(Section { id, title, lead, body: String::new() });
    }
    let lead = "Keys whose values are not the same in all recipes.".to_owned();
    table_section(id, title, lead, &Table { label: title, runs, corner: "key", rows })
}

/// The keys that not all recipes have with the same value.
fn differing(recipes: &[BTreeMap<String, String>]) -> Vec<&String> {
    let keys: BTreeSet<&String> = recipes.iter().flat_map(BTreeMap::keys).collect();
    let differs = |key: &&String| {
        let values: BTreeSet<Option<&String>> = recipes.iter().map(|recipe| recipe.get(*key)).collect();
        values.len() > 1 && !TOLD.iter().any(|told| key.starts_with(told))
    };
    keys.into_iter().filter(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_differ_are_told() {
        let recipe =
            |keys: &[(&str, &str)]| keys.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let recipes: [BTreeMap<String, String>; 2] = [
            recipe(&[("optim.lr", "0.1"), ("seed", "0"), ("published.epochs", "3"), ("train.epochs", "4")]),
            recipe(&[("optim.lr", "0.2"), ("seed", "0"), ("train.epochs", "4"), ("average.kind", "ema")]),
        ];
        assert_eq!(differing(&recipes), ["average.kind", "optim.lr"]);
    }
}
