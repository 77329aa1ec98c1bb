//! Curves of all runs in the same charts.

use wick_runs::EpochRow;

use super::{Named, judge};
use crate::ReportError;
use crate::chart::{Chart, Column, Format, Height, Line, Panel, Values, XAxis, notes};
use crate::format::{capital, number, percent};
use crate::frame::Section;

/// What is drawn of an epoch; in the title `{}` stands for what the accuracy is called.
struct Quantity {
    title: &'static str,
    of: fn(&EpochRow) -> f64,
    format: Format,
    height: Height,
}

const QUANTITIES: [Quantity; 5] = [
    Quantity { title: "{} accuracy", of: |e| e.test_accuracy, format: Format::Percent, height: Height::Full },
    Quantity {
        title: "Train accuracy",
        of: |e| e.train_accuracy,
        format: Format::Percent,
        height: Height::Full,
    },
    Quantity { title: "{} loss", of: |e| e.test_loss, format: Format::Number, height: Height::Full },
    Quantity { title: "Train loss", of: |e| e.train_loss, format: Format::Number, height: Height::Full },
    Quantity { title: "Learning rate", of: |e| e.lr, format: Format::Number, height: Height::Low },
];

pub(super) fn section(runs: &[Named]) -> Result<Section, ReportError> {
    let lead =
        "Every run's epochs; what is said under the charts is of the epoch that is pointed at.".to_owned();
    Ok(Section { id: "curves", title: "Curves", lead, body: values(runs)?.html()? })
}

fn values(runs: &[Named]) -> Result<Values, ReportError> {
    let epochs = |run: &Named| run.run.epochs.as_ref().map_or(0, Vec::len);
    let longest = runs.iter().map(epochs).max().unwrap_or(0);
    let of = |run: &Named, i: usize, f: fn(&EpochRow) -> f64| {
        run.run.epochs.as_ref().and_then(|rows| rows.get(i)).map_or(f64::NAN, f)
    };
    let judge = judge(runs);
    let mut columns = vec![Column::new("x", "epoch")];
    for what in ["accuracy", "loss"] {
        let of = |run: &Named| Column::new(&*run.class, format!("{judge} {what}, {}", run.name));
        columns.extend(runs.iter().map(of));
    }
    let mut rows = Vec::new();
    for i in 0..longest {
        let mut row = vec![(i + 1).to_string()];
        let told = |v: f64, text: fn(f64) -> String| if v.is_nan() { "–".to_owned() } else { text(v) };
        row.extend(runs.iter().map(|run| told(of(run, i, |e| e.test_accuracy), percent)));
        row.extend(runs.iter().map(|run| told(of(run, i, |e| e.test_loss), number)));
        rows.push(row);
    }
    let notes = notes(&columns, &rows);
    let x: Vec<f64> = (1..=longest).map(|epoch| epoch as f64).collect();
    let legend: Vec<(String, String)> =
        runs.iter().map(|run| (run.class.clone(), run.name.clone())).collect();
    let mut panels = Vec::new();
    for quantity in &QUANTITIES {
        let lines: Vec<Vec<f64>> =
            runs.iter().map(|run| (0..longest).map(|i| of(run, i, quantity.of)).collect()).collect();
        let title = capital(&quantity.title.replace("{}", judge));
        let chart = Chart {
            summary: format!("{title} over {longest} epochs of {} runs.", runs.len()),
            x: &x,
            x_axis: XAxis::Count("epoch"),
            lines: runs
                .iter()
                .zip(&lines)
                .map(|(run, values)| Line { class: run.class.clone(), values })
                .collect(),
            y: quantity.format,
            height: quantity.height,
            marks: Vec::new(),
            notes: notes.clone(),
        };
        panels.push(Panel { title, legend: legend.clone(), svg: chart.svg()? });
    }
    Ok(Values { id: "epochs", what: "epoch", panels, columns, rows })
}
