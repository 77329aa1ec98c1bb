//! Accuracy of each class, run by run.

use super::Named;
use super::table::{Row, Table, against_first, section as table_section};
use crate::ReportError;
use crate::frame::Section;

pub(super) fn section(runs: &[Named]) -> Result<Section, ReportError> {
    let mut names: Vec<&str> = Vec::new();
    for class in runs.iter().filter_map(|run| run.run.per_class.as_ref()).flatten() {
        if !names.contains(&class.name.as_str()) {
            names.push(&class.name);
        }
    }
    let (id, title) = ("classes", "Classes");
    if names.is_empty() {
        let lead = "None of these runs has been evaluated: the stage evaluate does that.".to_owned();
        return Ok(Section { id, title, lead, body: String::new() });
    }
    let rows = names.into_iter().map(|name| {
        let of = |run: &Named| {
            let class = run.run.per_class.as_ref()?.iter().find(|class| class.name == name)?;
            Some(class.accuracy)
        };
        Row { name: name.to_owned(), cells: against_first(&runs.iter().map(of).collect::<Vec<_>>()) }
    });
    let lead =
        "Accuracy of each class, and its difference from the first run's in percentage points.".to_owned();
    table_section(id, title, lead, &Table { label: title, runs, corner: "class", rows: rows.collect() })
}
