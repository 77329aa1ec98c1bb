//! `recipes`: what can be run.

use anyhow::Result;

use crate::context::StageEnd;

pub fn run(json: bool) -> Result<StageEnd> {
    let recipes = crate::recipes::all()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&recipes)?);
        return Ok(StageEnd::Done);
    }
    let width = recipes.iter().map(|recipe| recipe.name.len()).max().unwrap_or_default();
    println!("{:<width$} {:<13} {:>6}  {:>9}  description", "recipe", "network", "epochs", "published");
    for recipe in &recipes {
        let last = recipe.published.as_ref().and_then(|p| p.test_accuracy.last());
        let published = last.map_or_else(|| "-".to_owned(), |a| format!("{:.2} %", 100.0 * a));
        println!(
            "{:<width$} {:<13} {:>6}  {published:>9}  {}",
            recipe.name, recipe.model.architecture, recipe.train.epochs, recipe.description
        );
    }
    Ok(StageEnd::Done)
}
