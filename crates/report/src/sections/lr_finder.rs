//! The learning-rate range test with every suggestion.

use wick_runs::{LrFinderLoss, LrFinderReport, LrFinderRow, LrFinderSettings};

use super::missing;
use crate::ReportError;
use crate::chart::{Chart, Column, Format, Height, Line, Mark, Panel, Told, Values, XAxis, notes};
use crate::format::number;
use crate::frame::Section;
use crate::read::Run;

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("lr-finder", "Learning-rate range test");
    let Some((rows, report)) = run.lr_finder.as_ref().filter(|(rows, _)| !rows.is_empty()) else {
        let body = missing(&run.dir.lr_finder_csv(), "find-lr")?;
        return Ok(Section { id, title, lead: String::new(), body });
    };
    Ok(Section { id, title, lead: lead(rows, report), body: values(rows, report)?.html()? })
}

fn lead(rows: &[LrFinderRow], report: &LrFinderReport) -> String {
    let suggested: Vec<String> =
        report.suggestions.iter().map(|(rule, s)| format!("{rule} {}", number(s.lr))).collect();
    let ended = if report.stopped_early { ", stopped where the loss diverged" } else { "" };
    let suggested = if suggested.is_empty() { "nothing".to_owned() } else { suggested.join(", ") };
    let LrFinderSettings { batch_size, loss, .. } = &report.settings;
    let judged = match loss {
        LrFinderLoss::Train => String::new(),
        LrFinderLoss::Test(_) | LrFinderLoss::HeldOut(_) => format!(", judged by the {}", loss.name()),
    };
    format!("{} steps of {batch_size} images{judged}{ended}. Suggested: {suggested}.", rows.len())
}

fn values(rows: &[LrFinderRow], report: &LrFinderReport) -> Result<Values, ReportError> {
    let columns = vec![
        Column::new("x", "step"),
        Column::new("rate", "learning rate"),
        Column::new("raw", "loss"),
        Column::new("test", "smoothed loss"),
    ];
    let texts: Vec<Vec<String>> = rows
        .iter()
        .map(|r| vec![r.step.to_string(), number(r.lr), number(r.loss), number(r.smoothed)])
        .collect();
    let column = |f: fn(&LrFinderRow) -> f64| rows.iter().map(f).collect::<Vec<f64>>();
    let smoothed = column(|r| r.smoothed);
    // A loss that has diverged would flatten all the rest.
    let start = smoothed.iter().copied().find(|v| v.is_finite()).unwrap_or(1.0);
    let highest = smoothed.iter().copied().filter(|v| *v <= 2.0 * start).fold(start, f64::max);
    let cut = |values: Vec<f64>| values.into_iter().map(|v| v.min(1.15 * highest)).collect::<Vec<f64>>();
    let (raw, smoothed) = (cut(column(|r| r.loss)), cut(smoothed));
    let marks = report.suggestions.iter().enumerate().map(|(i, (rule, s))| Mark {
        class: format!("s{}", i % 8),
        name: format!("{rule} {}", number(s.lr)),
        x: s.lr,
    });
    let chart = Chart {
        summary: format!("Loss over the learning rate. {}", lead(rows, report)),
        x: &column(|r| r.lr),
        x_axis: XAxis::Logarithmic("learning rate"),
        lines: vec![
            Line { class: "raw".to_owned(), values: &raw },
            Line { class: "test".to_owned(), values: &smoothed },
        ],
        y: Format::Number,
        height: Height::Full,
        marks: marks.collect(),
        notes: notes(&columns, &texts),
    };
    let (raw_loss, title) = match report.settings.loss {
        LrFinderLoss::Train => ("batch", "Training loss"),
        LrFinderLoss::Test(_) => ("after each step", "Test loss"),
        LrFinderLoss::HeldOut(_) => ("after each step", "Held-out loss"),
    };
    let legend = [("raw", raw_loss), ("test", "smoothed")].map(|(c, n)| (c.to_owned(), n.to_owned()));
    let panel =
        Panel { title: title.to_owned(), legend: legend.to_vec(), told: Told::Together, svg: chart.svg()? };
    Ok(Values { id: "range-test", what: "step", panels: vec![panel], columns, rows: texts })
}
