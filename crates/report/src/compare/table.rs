//! Tables with a column a run.

use std::collections::BTreeMap;

use askama::Template;

use super::{Named, judge, judged_by};
use crate::ReportError;
use crate::format::{count, duration, number, percent, points};
use crate::frame::Section;
use crate::sections::{Figures, claim_rows, figures, header_facts};

/// A table whose columns are runs.
#[derive(Template)]
#[template(path = "compare/table.html")]
pub(super) struct Table<'a> {
    pub label: &'static str,
    pub runs: &'a [Named],
    /// Above the first column.
    pub corner: &'static str,
    pub rows: Vec<Row>,
}

impl Table<'_> {
    pub(super) fn html(&self) -> Result<String, ReportError> {
        Ok(self.render()?)
    }
}

pub(super) struct Row {
    pub name: String,
    pub cells: Vec<Cell>,
}

#[derive(Clone)]
pub(super) struct Cell {
    pub text: String,
    /// Less important, beside it.
    pub note: String,
    pub class: &'static str,
}

impl Cell {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), note: String::new(), class: "" }
    }
}

/// The headline figures, and by how much they differ from the first run's.
pub(super) fn results(runs: &[Named]) -> Result<Section, ReportError> {
    let all: Vec<Figures> = runs.iter().map(|run| figures(&run.run)).collect::<Result<_, _>>()?;
    let fractions = |name: &str, of: fn(&Figures) -> Option<f64>| Row {
        name: name.to_owned(),
        cells: against_first(&all.iter().map(of).collect::<Vec<_>>()),
    };
    let plain = |name: &str, of: fn(&Figures) -> Option<f64>, text: fn(f64) -> String| Row {
        name: name.to_owned(),
        cells: all.iter().map(|f| Cell::plain(of(f).map_or("–".to_owned(), text))).collect(),
    };
    let judge = judge(runs);
    let best = format!("{judge} accuracy, best epoch (chosen by looking)");
    let rows = vec![
        fractions(&format!("{judge} accuracy, last epoch"), |f| f.last),
        fractions(&best, |f| f.best.map(|(best, _)| best)),
        fractions("train accuracy, last epoch", |f| f.train),
        plain(&format!("{judge} loss, last epoch"), |f| f.loss, number),
        plain("expected calibration error", |f| f.calibration_error, percent),
        plain("maximum calibration error", |f| f.maximum_error, percent),
        plain("training time", |f| f.seconds, duration),
        plain("images/s, median", |f| f.images_per_second, |r| count(r.round() as u64)),
    ];
    let lead = format!("Differences, in percentage points, are from {}.", first(runs));
    let lead = match judges(runs) {
        Some(warning) => format!("{lead} {warning}"),
        None => lead,
    };
    section("results", "Results", lead, &Table { label: "Results", runs, corner: "", rows })
}

/// Runs that are judged by other images, or learnt from others, cannot be compared.
fn judges(runs: &[Named]) -> Option<String> {
    let mut others = runs.iter().skip(1);
    let differ = runs.first().is_some_and(|first| others.any(|run| judged_by(run) != judged_by(first)));
    differ.then(|| "Careful: these runs were not all judged by the same images.".to_owned())
}

fn first(runs: &[Named]) -> &str {
    runs.first().map_or("the first", |run| run.name.as_str())
}

/// Each value, with its difference from the first.
pub(super) fn against_first(values: &[Option<f64>]) -> Vec<Cell> {
    let base = values.first().copied().flatten();
    let cell = |(i, value): (usize, &Option<f64>)| {
        let Some(value) = *value else { return Cell::plain("–") };
        let difference = base.filter(|_| i > 0).map(|base| value - base);
        Cell {
            text: percent(value),
            note: difference.map(points).unwrap_or_default(),
            class: match difference {
                Some(d) if d > 0.0 => "up",
                Some(d) if d < 0.0 => "down",
                _ => "",
            },
        }
    };
    values.iter().enumerate().map(cell).collect()
}

/// Every claim of any run.
pub(super) fn claims(runs: &[Named]) -> Result<Section, ReportError> {
    let mut names: Vec<(String, String)> = Vec::new();
    let mut told: Vec<BTreeMap<(String, String), Cell>> = Vec::new();
    for run in runs {
        let mut of_run = BTreeMap::new();
        for row in run.run.claims.as_ref().map(claim_rows).unwrap_or_default() {
            let key = (row.name, row.published);
            if !names.contains(&key) {
                names.push(key.clone());
            }
            of_run.insert(key, Cell { text: row.measured, note: row.verdict, class: row.class });
        }
        told.push(of_run);
    }
    let (id, title) = ("claims", "Published and measured");
    if names.is_empty() {
        let lead = "None of these runs has claims: the stage claims writes them, where a recipe names a published run.".to_owned();
        return Ok(Section { id, title, lead, body: String::new() });
    }
    let rows = names.into_iter().map(|key| {
        let cells = told.iter().map(|of_run| of_run.get(&key).cloned().unwrap_or_else(|| Cell::plain("–")));
        let cells = cells.collect();
        Row { name: format!("{}: published {}", key.0, key.1), cells }
    });
    section(id, title, String::new(), &Table { label: "Claims", runs, corner: "claim", rows: rows.collect() })
}

/// What each run was made with.
pub(super) fn runs(runs: &[Named]) -> Result<Section, ReportError> {
    let facts: Vec<Vec<(&'static str, String)>> = runs.iter().map(|run| header_facts(&run.run)).collect();
    let mut names: Vec<&'static str> = Vec::new();
    for (name, _) in facts.iter().flatten() {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let rows = names.into_iter().map(|name| {
        let of = |facts: &Vec<(&'static str, String)>| {
            let value = facts.iter().find(|(other, _)| *other == name);
            Cell::plain(value.map_or("–", |(_, value)| value.as_str()))
        };
        Row { name: name.to_owned(), cells: facts.iter().map(of).collect() }
    });
    section(
        "runs",
        "The runs",
        String::new(),
        &Table { label: "Runs", runs, corner: "", rows: rows.collect() },
    )
}

pub(super) fn section(
    id: &'static str,
    title: &'static str,
    lead: String,
    table: &Table<'_>,
) -> Result<Section, ReportError> {
    Ok(Section { id, title, lead, body: table.html()? })
}
