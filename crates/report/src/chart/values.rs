//! Charts that share their x, with what they show under the pointer and as a table.

use askama::Template;

use crate::ReportError;

/// Charts over the same x, and every value in them as text.
#[derive(Template)]
#[template(path = "values.html")]
pub(crate) struct Values {
    /// Unique in the page.
    pub id: &'static str,
    /// What a row is: `epoch`.
    pub what: &'static str,
    pub panels: Vec<Panel>,
    /// The first names the row.
    pub columns: Vec<Column>,
    /// As long as `columns` each.
    pub rows: Vec<Vec<String>>,
}

/// One chart with its heading.
pub(crate) struct Panel {
    pub title: String,
    /// Class and name of each line.
    pub legend: Vec<(String, String)>,
    pub told: Told,
    pub svg: String,
}

/// Where the values of what is pointed at stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Above all charts.
    Together,
    /// In the chart's own legend: its first line's are in this column, the others' in those after it.
    InLegend(usize),
}

impl Panel {
    /// The column of a line's values, where they stand in the legend.
    fn column(&self, line: &usize) -> Option<usize> {
        match self.told {
            Told::Together => None,
            Told::InLegend(first) => Some(first + line),
        }
    }
}

/// What is known of each x.
pub(crate) struct Column {
    pub class: String,
    pub name: String,
}

impl Column {
    pub(crate) fn new(class: impl Into<String>, name: impl Into<String>) -> Self {
        Self { class: class.into(), name: name.into() }
    }
}

impl Values {
    pub(crate) fn html(&self) -> Result<String, ReportError> {
        Ok(self.render()?)
    }

    /// What is shown before anyone points at anything: the last row's.
    fn shown(&self, column: &usize) -> &str {
        self.rows.last().and_then(|row| row.get(*column)).map_or("–", String::as_str)
    }

    /// What stands above the charts.
    fn above(&self) -> &[Column] {
        let is_above = self.panels.iter().all(|panel| panel.told == Told::Together);
        if is_above { &self.columns } else { self.columns.get(..1).unwrap_or_default() }
    }

    fn last(&self) -> usize {
        self.rows.len().saturating_sub(1)
    }
}

/// One line a row: `epoch 3, train loss 0.41, …`, for the chart's own tooltips.
pub(crate) fn notes(columns: &[Column], rows: &[Vec<String>]) -> Vec<String> {
    let note = |row: &Vec<String>| {
        let told = columns.iter().zip(row).map(|(column, text)| format!("{} {text}", column.name));
        told.collect::<Vec<_>>().join("\n")
    };
    rows.iter().map(note).collect()
}
