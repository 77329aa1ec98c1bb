//! Runs of one recipe, whatever their seeds.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::Value;
use wick_train::Recipe;

use super::judged::Judged;

/// Runs that differ in nothing but their seeds, in the order of these.
pub struct Group {
    pub name: String,
    pub runs: Vec<Judged>,
}

/// Groups runs by recipe, in the order in which the recipes come.
///
/// Two runs of one recipe and seed are one computation done twice: to count both would feign certainty, so that is refused.
pub fn by_recipe(runs: Vec<Judged>) -> Result<Vec<Group>> {
    let mut groups: Vec<(String, Vec<Judged>)> = Vec::new();
    for run in runs {
        let identity = run.recipe_identity();
        match groups.iter_mut().find(|group| group.0 == identity) {
            Some((_, same)) => same.push(run),
            None => groups.push((identity, vec![run])),
        }
    }
    for (_, same) in &mut groups {
        same.sort_by_key(|run| run.recipe.seed);
        for pair in same.windows(2) {
            ensure!(
                pair[0].recipe.seed != pair[1].recipe.seed,
                "{} and {} are the same recipe with the same seed, {}; one repeats the other: leave one out",
                pair[0].path.display(),
                pair[1].path.display(),
                pair[0].recipe.seed
            );
        }
    }
    let names = names(&groups.iter().filter_map(|group| Some(&group.1.first()?.recipe)).collect::<Vec<_>>())?;
    Ok(names.into_iter().zip(groups).map(|(name, (_, runs))| Group { name, runs }).collect())
}

/// Each recipe's name, followed by the values that tell it from others of the same name.
fn names(recipes: &[&Recipe]) -> Result<Vec<String>> {
    let flat = recipes.iter().map(|recipe| flat(recipe)).collect::<Result<Vec<_>>>()?;
    let name = |(i, recipe): (usize, &&Recipe)| {
        let namesakes: Vec<usize> = (0..recipes.len()).filter(|&j| recipes[j].name == recipe.name).collect();
        let differs = |key: &&String| namesakes.iter().any(|&j| flat[j].get(*key) != flat[i].get(*key));
        let keys: std::collections::BTreeSet<&String> =
            namesakes.iter().flat_map(|&j| flat[j].keys()).collect();
        let value = |key: &String| flat[i].get(key).map_or("none", String::as_str);
        let told: Vec<String> =
            keys.into_iter().filter(differs).map(|key| format!("{key} = {}", value(key))).collect();
        if told.is_empty() { recipe.name.clone() } else { format!("{} ({})", recipe.name, told.join(", ")) }
    };
    Ok(recipes.iter().enumerate().map(name).collect())
}

/// What a recipe computes with, by dotted key, defaults that its text leaves out included.
fn flat(recipe: &Recipe) -> Result<BTreeMap<String, String>> {
    let mut out = BTreeMap::new();
    let value = serde_json::to_value(Recipe { published: None, ..recipe.clone() })?;
    for (key, value) in value.as_object().into_iter().flatten() {
        // These decide nothing that training computes.
        if !["name", "description", "seed", "evaluate", "lr_finder"].contains(&key.as_str()) {
            flatten(key, value, &mut out);
        }
    }
    out.remove("train.checkpoint_minutes");
    flatten("average", &serde_json::to_value(recipe.average)?, &mut out);
    flatten("gradients", &serde_json::to_value(recipe.gradients)?, &mut out);
    flatten("train.accumulate", &serde_json::to_value(recipe.train.accumulate)?, &mut out);
    flatten("evaluate.views", &serde_json::to_value(recipe.evaluate.views)?, &mut out);
    Ok(out)
}

fn flatten(key: &str, value: &Value, out: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(table) => table.iter().for_each(|(k, v)| flatten(&format!("{key}.{k}"), v, out)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| flatten(&format!("{key}[{i}]"), v, out));
        }
        Value::String(text) => drop(out.insert(key.to_owned(), text.clone())),
        other => drop(out.insert(key.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namesakes_tell_what_differs() {
        let s11 = crate::recipes::named("s11").unwrap();
        let mut bf16 = s11.clone();
        bf16.train.precision = wick_train::Precision::Bf16;
        (bf16.seed, bf16.description) = (7, String::new());
        let other = crate::recipes::named("s8-onecycle-published").unwrap();
        assert_eq!(
            names(&[&s11, &other, &bf16]).unwrap(),
            ["s11 (train.precision = f32)", "s8-onecycle-published", "s11 (train.precision = bf16)"]
        );
        assert_eq!(names(&[&s11]).unwrap(), ["s11"]);
    }

    #[test]
    fn defaults_are_told_as_what_they_are() {
        let s11 = crate::recipes::named("s11").unwrap();
        let mut other = s11.clone();
        other.train.accumulate = 4;
        other.gradients.l1 = 0.5;
        other.evaluate.views = wick_train::Views::Mirror;
        other.average = wick_optim::AverageConfig::Ema(wick_optim::EmaOptions { decay: 0.75 });
        assert_eq!(
            names(&[&s11, &other]).unwrap(),
            [
                "s11 (average.decay = none, average.kind = none, evaluate.views = none, gradients.l1 = 0.0, train.accumulate = 1)",
                "s11 (average.decay = 0.75, average.kind = ema, evaluate.views = mirror, gradients.l1 = 0.5, train.accumulate = 4)"
            ]
        );
    }
}
