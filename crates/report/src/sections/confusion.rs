//! The confusion matrix, as a table with shades.

use askama::Template;
use wick_metrics::ConfusionMatrix;

use super::classes::matrix;
use super::missing;
use crate::ReportError;
use crate::format::{count, percent1, share};
use crate::frame::Section;
use crate::read::Run;

#[derive(Template)]
#[template(path = "sections/confusion.html")]
struct Table<'a> {
    names: &'a [String],
    rows: Vec<(&'a str, Vec<Cell>, String)>,
    totals: Vec<String>,
    all: String,
}

struct Cell {
    count: String,
    rate: String,
    /// Right or wrong.
    class: &'static str,
    /// How strong the shade is.
    shade: String,
    label: String,
}

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("confusion", "Confusion");
    let body = match &run.confusion {
        None => missing(&run.dir.confusion(), "evaluate")?,
        Some(table) => match matrix(table) {
            Some(matrix) => draw(&matrix, &table.class_names)?,
            None => missing(&run.dir.confusion(), "evaluate")?,
        },
    };
    let lead = "Rows are true classes, columns what the network took them for: images, and their share of the row. Mistakes are shaded by how common they are beside the commonest.";
    let lead = if run.confusion.is_some() { lead.to_owned() } else { String::new() };
    Ok(Section { id, title, lead, body })
}

fn draw(matrix: &ConfusionMatrix, names: &[String]) -> Result<String, ReportError> {
    let classes = 0..matrix.classes();
    let rate = |t: usize, p: usize| matrix.count(t, p) as f64 / matrix.actual(t).max(1) as f64;
    let wrong = classes.clone().flat_map(|t| classes.clone().filter(move |p| *p != t).map(move |p| (t, p)));
    let commonest = wrong.map(|(t, p)| rate(t, p)).fold(0.0, f64::max);
    let cell = |t: usize, p: usize| {
        let (class, shade) = match (t == p, commonest > 0.0) {
            (true, _) => ("right", rate(t, p)),
            // The root tells few from none.
            (false, true) => ("wrong", (rate(t, p) / commonest).sqrt()),
            (false, false) => ("wrong", 0.0),
        };
        Cell {
            count: count(matrix.count(t, p)),
            rate: percent1(rate(t, p)),
            class,
            shade: share(shade),
            label: format!("{} taken for {}", names[t], names[p]),
        }
    };
    let rows = names.iter().enumerate().map(|(t, name)| {
        (name.as_str(), classes.clone().map(|p| cell(t, p)).collect(), count(matrix.actual(t)))
    });
    let table = Table {
        names,
        rows: rows.collect(),
        totals: classes.clone().map(|p| count(matrix.predicted(p))).collect(),
        all: count(matrix.total()),
    };
    Ok(table.render()?)
}
