//! The built-in recipes.

use std::path::Path;

use anyhow::{Result, bail};
use wick_train::{Layers, Recipe};

use crate::cli::RecipeArgs;

const BASE: &str = include_str!("../recipes/base.toml");
const QUICK: &str = include_str!("../recipes/quick.toml");
const RECIPES: [(&str, &str); 3] = [
    ("s8-layernorm-published", include_str!("../recipes/s8-layernorm-published.toml")),
    ("s8-onecycle-published", include_str!("../recipes/s8-onecycle-published.toml")),
    ("s11", include_str!("../recipes/s11.toml")),
];

/// All built-in recipes, resolved.
pub fn all() -> Result<Vec<Recipe>> {
    RECIPES.iter().map(|(name, _)| Ok(layers(name)?.resolve()?)).collect()
}

/// The recipe that the command line describes.
pub fn resolve(args: &RecipeArgs) -> Result<Recipe> {
    let mut layers = layers(&args.recipe)?;
    if args.quick {
        layers = layers.over("quick.toml", QUICK)?;
    }
    let flags = [
        ("train.epochs", args.epochs.map(|n| n as u64)),
        ("data.limit", args.limit.map(|n| n as u64)),
        ("data.holdout", args.holdout.map(|n| n as u64)),
        ("seed", args.seed),
    ];
    for (key, value) in flags {
        if let Some(value) = value {
            layers = layers.set(&format!("{key}={value}"))?;
        }
    }
    if let Some(precision) = &args.precision {
        layers = layers.set(&format!("train.precision={precision}"))?;
    }
    for assignment in &args.set {
        layers = layers.set(assignment)?;
    }
    Ok(layers.resolve()?)
}

/// A recipe by name or file, nothing changed.
pub fn named(recipe: &str) -> Result<Recipe> {
    Ok(layers(recipe)?.resolve()?)
}

fn layers(recipe: &str) -> Result<Layers> {
    let base = Layers::default().over("base.toml", BASE)?;
    if let Some((name, text)) = RECIPES.iter().find(|(name, _)| *name == recipe) {
        return Ok(base.over(&format!("{name}.toml"), text)?);
    }
    let path = Path::new(recipe);
    if path.extension().is_some_and(|e| e == "toml") {
        return Ok(base.over_file(path)?);
    }
    let known: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
    bail!(
        "there is no recipe named `{recipe}`; the built-in ones are {}, and a file's name ends in .toml",
        known.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_resolves_and_replays_from_its_own_text() {
        for recipe in all().unwrap() {
            let again = Layers::default().over("text", &recipe.to_string()).unwrap().resolve().unwrap();
            assert_eq!(again, recipe);
        }
    }
}
