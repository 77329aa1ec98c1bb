//! `recipes`: what can be run.

use anyhow::Result;
use serde_json::json;
use wick_runs::MeasuredRow;
use wick_train::Published;

use crate::context::StageEnd;
use crate::terminal::{Column, Table, result_room, tell};

pub fn run() -> Result<StageEnd> {
    let recipes = crate::recipes::all()?;
    let measured = crate::recipes::measured()?;
    let of = |name: &str| measured.iter().filter(|row| row.recipe == name).collect::<Vec<_>>();
    let mut value = serde_json::to_value(&recipes)?;
    for (recipe, value) in recipes.iter().zip(value.as_array_mut().into_iter().flatten()) {
        value["measured"] = json!(of(&recipe.name));
    }
    let text = || {
        let head = [
            Column::left("recipe"),
            Column::left("network"),
            Column::right("epochs"),
            Column::right("published %"),
            Column::left("reached here %"),
            Column::left("description"),
        ];
        let mut table = Table::new(head);
        for recipe in &recipes {
            let last = recipe.published.as_ref().and_then(Published::last);
            table.row([
                recipe.name.clone(),
                recipe.model.architecture.name(),
                recipe.train.epochs.to_string(),
                last.map_or_else(|| "–".to_owned(), |a| format!("{:.2}", 100.0 * a)),
                reached(&of(&recipe.name)),
                recipe.description.clone(),
            ]);
        }
        table.text(result_room())
    };
    tell(text, &[], || value)?;
    Ok(StageEnd::Done)
}

/// Mean and deviation of the machine and precision with the most runs.
fn reached(rows: &[&MeasuredRow]) -> String {
    let Some(row) = rows.iter().max_by_key(|row| row.runs) else { return "not run yet".to_owned() };
    let mean = format!("{:.2}", 100.0 * row.test_accuracy);
    match row.deviation {
        Some(deviation) => format!("{mean} ± {:.2} ({})", 100.0 * deviation, row.runs),
        None => format!("{mean} (1)"),
    }
}
