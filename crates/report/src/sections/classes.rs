//! Accuracy class by class.

use askama::Template;
use wick_metrics::ConfusionMatrix;
use wick_runs::{ConfusionTable, PerClassRow};

use super::missing;
use crate::ReportError;
use crate::format::{count, percent, percent1, share};
use crate::frame::Section;
use crate::read::Run;

#[derive(Template)]
#[template(path = "sections/classes.html")]
struct Table {
    rows: Vec<Row>,
}

struct Row {
    name: String,
    images: String,
    correct: String,
    accuracy: String,
    /// How long the bar is.
    share: String,
    precision: String,
    f1: String,
    /// What it is most often taken for.
    taken_for: String,
}

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("classes", "Classes");
    let Some(classes) = &run.per_class else {
        return Ok(Section {
            id,
            title,
            lead: String::new(),
            body: missing(&run.dir.per_class(), "evaluate")?,
        });
    };
    let matrix = run.confusion.as_ref().and_then(matrix);
    let rows = classes.iter().map(|class| row(class, matrix.as_ref(), run.class_names())).collect();
    Ok(Section { id, title, lead: extremes(classes), body: Table { rows }.render()? })
}

/// The counts of a table that agrees with itself, as one that was read does.
pub(crate) fn matrix(table: &ConfusionTable) -> Option<ConfusionMatrix> {
    ConfusionMatrix::from_counts(table.class_names.len(), table.counts.concat()).ok()
}

fn row(class: &PerClassRow, matrix: Option<&ConfusionMatrix>, names: &[String]) -> Row {
    let known = |figure: Option<Option<f64>>| figure.flatten().map_or("–".to_owned(), percent);
    Row {
        name: class.name.clone(),
        images: count(class.images),
        correct: count(class.correct),
        accuracy: percent(class.accuracy),
        share: share(class.accuracy),
        precision: known(matrix.map(|m| m.precision(class.class))),
        f1: known(matrix.map(|m| m.f1(class.class))),
        taken_for: matrix.map_or(String::new(), |m| taken_for(class.class, m, names)),
    }
}

fn taken_for(class: usize, matrix: &ConfusionMatrix, names: &[String]) -> String {
    let others = (0..matrix.classes()).filter(|other| *other != class);
    // Of equals the first.
    let most = others.max_by_key(|other| (matrix.count(class, *other), usize::MAX - other));
    match most.map(|other| (names.get(other), matrix.count(class, other))) {
        Some((Some(name), n)) if n > 0 => {
            format!("{name} {}", percent1(n as f64 / matrix.actual(class) as f64))
        }
        _ => "–".to_owned(),
    }
}

fn extremes(classes: &[PerClassRow]) -> String {
    let by = |a: &&PerClassRow, b: &&PerClassRow| a.accuracy.total_cmp(&b.accuracy);
    let (Some(worst), Some(best)) = (classes.iter().min_by(by), classes.iter().max_by(by)) else {
        return String::new();
    };
    format!(
        "Best: {}, {}. Worst: {}, {}.",
        best.name,
        percent(best.accuracy),
        worst.name,
        percent(worst.accuracy)
    )
}
