//! `recipes`: what can be run.

use anyhow::Result;
use wick_train::Published;

use crate::context::StageEnd;
use crate::terminal::{Tone, paint};

pub fn run(json: bool) -> Result<StageEnd> {
    let recipes = crate::recipes::all()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&recipes)?);
        return Ok(StageEnd::Done);
    }
    let width = recipes.iter().map(|recipe| recipe.name.len()).max().unwrap_or_default();
    let networks = recipes.iter().map(|recipe| recipe.model.architecture.name().len());
    let networks = networks.max().unwrap_or_default();
    let (name, network, epochs, published) = ("recipe", "network", "epochs", "published");
    let head = format!("{name:<width$} {network:<networks$} {epochs:>6}  {published:>9}  description");
    println!("{}", paint(&head, Tone::Head));
    for recipe in &recipes {
        let last = recipe.published.as_ref().and_then(Published::last);
        let published = last.map_or_else(|| "-".to_owned(), |a| format!("{:.2} %", 100.0 * a));
        println!(
            "{:<width$} {:<networks$} {:>6}  {published:>9}  {}",
            recipe.name,
            recipe.model.architecture.name(),
            recipe.train.epochs,
            recipe.description
        );
    }
    Ok(StageEnd::Done)
}
