//! Recipes that take seconds.

use wick_train::{Layers, Recipe};

/// The example's recipe with these settings, and with `more` in TOML.
pub fn tiny(settings: &[&str], more: &str) -> Recipe {
    let text = include_str!("../../examples/tiny.toml");
    let mut layers = Layers::default().over("tiny.toml", text).unwrap();
    for assignment in settings {
        layers = layers.set(assignment).unwrap();
    }
    layers.over("more.toml", more).unwrap().resolve().unwrap()
}
