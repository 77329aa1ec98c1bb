//! Curves of all runs in the same charts.

use wick_runs::EpochRow;

use super::{Named, STROKES, judge};
use crate::ReportError;
use crate::chart::{Chart, Column, Format, Height, Line, Panel, Told, Values, XAxis, notes};
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
    let mut lead =
        "Every run's epochs, and in the legends the values of the epoch that is pointed at.".to_owned();
    if runs.len() > STROKES {
        lead += &format!(" Colours with their strokes come again from run {} on.", STROKES + 1);
    }
    Ok(Section { id: "curves", title: "Curves", lead, body: values(runs)?.html()? })
}

fn values(runs: &[Named]) -> Result<Values, ReportError> {
    let epochs = |run: &Named| run.run.epochs.as_ref().map_or(0, Vec::len);
    let longest = runs.iter().map(epochs).max().unwrap_or(0);
    let of = |run: &Named, i: usize, f: fn(&EpochRow) -> f64| {
        run.run.epochs.as_ref().and_then(|rows| rows.get(i)).map_or(f64::NAN, f)
    };
    let judge = judge(runs);
    let x: Vec<f64> = (1..=longest).map(|epoch| epoch as f64).collect();
    let legend: Vec<(String, String)> =
        runs.iter().map(|run| (run.class.clone(), run.name.clone())).collect();
    let mut columns = vec![Column::new("x", "epoch")];
    let mut rows: Vec<Vec<String>> = (1..=longest).map(|epoch| vec![epoch.to_string()]).collect();
    let mut panels = Vec::new();
    for quantity in &QUANTITIES {
        let name = quantity.title.replace("{}", judge);
        let title = capital(&name);
        let name = name.to_lowercase();
        let own: Vec<Column> =
            runs.iter().map(|run| Column::new(&*run.class, format!("{name}, {}", run.name))).collect();
        let told: Vec<Vec<String>> = (0..longest)
            .map(|i| runs.iter().map(|run| told(of(run, i, quantity.of), quantity.format)).collect())
            .collect();
        let lines: Vec<Vec<f64>> =
            runs.iter().map(|run| (0..longest).map(|i| of(run, i, quantity.of)).collect()).collect();
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
            // Without a script a chart tells its own quantity: those of all charts would be more lines than a tooltip holds.
            notes: notes(&own, &told)
                .into_iter()
                .enumerate()
                .map(|(i, note)| format!("epoch {}\n{note}", i + 1))
                .collect(),
        };
        panels.push(Panel {
            title,
            legend: legend.clone(),
            told: Told::InLegend(columns.len()),
            svg: chart.svg()?,
        });
        columns.extend(own);
        rows.iter_mut().zip(told).for_each(|(row, told)| row.extend(told));
    }
    Ok(Values { id: "epochs", what: "epoch", panels, columns, rows })
}

/// A value as text; a dash where the run has no such epoch.
fn told(value: f64, format: Format) -> String {
    match format {
        _ if value.is_nan() => "–".to_owned(),
        Format::Percent => percent(value),
        Format::Number => number(value),
    }
}
