//! `recipes`: what can be run.

use anyhow::Result;
use wick_train::Published;

use crate::context::StageEnd;
use crate::terminal::{Column, Table, result_room, tell};

pub fn run() -> Result<StageEnd> {
    let recipes = crate::recipes::all()?;
    let value = serde_json::to_value(&recipes)?;
    let text = || {
        let head = [
            Column::left("recipe"),
            Column::right("epochs"),
            Column::right("published %"),
            Column::left("description"),
        ];
        let mut table = Table::new(head);
        for recipe in &recipes {
            let last = recipe.published.as_ref().and_then(Published::last);
            table.row([
                recipe.name.clone(),
                recipe.train.epochs.to_string(),
                last.map_or_else(|| "–".to_owned(), |a| format!("{:.2}", 100.0 * a)),
                recipe.description.clone(),
            ]);
        }
        table.text(result_room())
    };
    tell(text, &[], || value)?;
    Ok(StageEnd::Done)
}
