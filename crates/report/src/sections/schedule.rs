//! The learning rate and the loss step by step.

use wick_runs::StepRow;

use super::missing;
use crate::ReportError;
use crate::chart::{Chart, Column, Format, Height, Line, Panel, Told, Values, XAxis, notes};
use crate::format::{count, number};
use crate::frame::Section;
use crate::read::Run;

/// Points that are drawn at most: each stands for as many steps as it takes.
const POINTS: usize = 120;

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("schedule", "Schedule");
    let Some(steps) = &run.steps else {
        return Ok(Section { id, title, lead: String::new(), body: missing(&run.dir.steps(), "train")? });
    };
    let per_point = steps.len().div_ceil(POINTS);
    let each =
        if per_point > 1 { format!(", {per_point} to a point (their mean loss)") } else { String::new() };
    let kind = run.value("schedule.kind").map(|kind| format!("{kind}: ")).unwrap_or_default();
    let lead = format!("{kind}learning rate and batch loss over {} steps{each}.", count(steps.len() as u64));
    Ok(Section { id, title, lead, body: values(steps, per_point)?.html()? })
}

fn values(steps: &[StepRow], per_point: usize) -> Result<Values, ReportError> {
    let points: Vec<(StepRow, f64)> = steps
        .chunks(per_point)
        .filter_map(|part| {
            let mean = part.iter().map(|s| s.loss).sum::<f64>() / part.len() as f64;
            Some((*part.last()?, mean))
        })
        .collect();
    let columns = vec![
        Column::new("x", "step"),
        Column::new("x", "epoch"),
        Column::new("rate", "learning rate"),
        Column::new("train", "train loss"),
    ];
    let rows: Vec<Vec<String>> = points
        .iter()
        .map(|(s, loss)| vec![s.step.to_string(), s.epoch.to_string(), number(s.lr), number(*loss)])
        .collect();
    let notes = notes(&columns, &rows);
    let x: Vec<f64> = points.iter().map(|(s, _)| s.step as f64).collect();
    let panel = |title: &str, class: &str, values: &[f64]| {
        let ends = values.first().zip(values.last()).map_or((f64::NAN, f64::NAN), |(a, b)| (*a, *b));
        let highest = values.iter().copied().filter(|v| v.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        let chart = Chart {
            summary: format!(
                "{title} over {} steps: from {} to {}, at most {}.",
                steps.len(),
                number(ends.0),
                number(ends.1),
                number(highest)
            ),
            x: &x,
            x_axis: XAxis::Count("step"),
            lines: vec![Line { class: class.to_owned(), values }],
            y: Format::Number,
            height: Height::Low,
            marks: Vec::new(),
            notes: notes.clone(),
        };
        Ok::<_, ReportError>(Panel {
            title: title.to_owned(),
            legend: Vec::new(),
            told: Told::Together,
            svg: chart.svg()?,
        })
    };
    let rates: Vec<f64> = points.iter().map(|(s, _)| s.lr).collect();
    let losses: Vec<f64> = points.iter().map(|(_, loss)| *loss).collect();
    let panels = vec![panel("Learning rate", "rate", &rates)?, panel("Batch loss", "train", &losses)?];
    Ok(Values { id: "steps", what: "step", panels, columns, rows })
}
