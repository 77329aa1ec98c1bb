//! Norms of weights and gradients, part by part of the network.

use std::collections::BTreeMap;

use wick_runs::NormRow;

use super::missing;
use crate::ReportError;
use crate::chart::{Chart, Column, Format, Height, Line, Panel, Told, Values, XAxis, notes};
use crate::format::number;
use crate::frame::Section;
use crate::read::Run;

/// Lines that can be told apart.
const PARTS: usize = 8;

/// The two norms of one part of the network in one epoch, squared.
type Squares = (f64, Option<f64>);

/// One of the two.
type Kind = (&'static str, fn(&Squares) -> Option<f64>);

/// Norms of the parts of a network, epoch by epoch.
struct Norms {
    epochs: Vec<u64>,
    /// In the order of the network.
    parts: Vec<String>,
    squares: BTreeMap<(u64, String), Squares>,
}

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("norms", "Norms");
    let Some(rows) = &run.norms else {
        return Ok(Section { id, title, lead: String::new(), body: missing(&run.dir.norms(), "train")? });
    };
    let norms = Norms::of(rows);
    let lead = "Euclidean norms of all weights of each part of the network after each epoch, and of their gradients in its last step.";
    Ok(Section { id, title, lead: lead.to_owned(), body: values(&norms)?.html()? })
}

impl Norms {
    fn of(rows: &[NormRow]) -> Self {
        let mut norms = Self { epochs: Vec::new(), parts: Vec::new(), squares: BTreeMap::new() };
        for row in rows {
            let mut part = row.parameter.split('.').next().unwrap_or_default().to_owned();
            if !norms.parts.contains(&part) {
                if norms.parts.len() == PARTS {
                    part = norms.parts[PARTS - 1].clone();
                } else {
                    norms.parts.push(part.clone());
                }
            }
            if norms.epochs.last() != Some(&row.epoch) {
                norms.epochs.push(row.epoch);
            }
            let (weight, gradient) = norms.squares.entry((row.epoch, part)).or_insert((0.0, Some(0.0)));
            *weight += row.weight_norm.powi(2);
            *gradient = gradient.zip(row.gradient_norm).map(|(sum, norm)| sum + norm.powi(2));
        }
        norms
    }
}

fn values(norms: &Norms) -> Result<Values, ReportError> {
    let class = |i: usize| format!("s{i}");
    let norm = |epoch: u64, part: &str, of: fn(&Squares) -> Option<f64>| {
        let squares = norms.squares.get(&(epoch, part.to_owned()));
        squares.and_then(of).map_or(f64::NAN, f64::sqrt)
    };
    let kinds: [Kind; 2] = [("Weights", |squares| Some(squares.0)), ("Gradients", |squares| squares.1)];
    let mut columns = vec![Column::new("x", "epoch")];
    for (kind, _) in &kinds {
        let of =
            |(i, part): (usize, &String)| Column::new(class(i), format!("{part} {}", kind.to_lowercase()));
        columns.extend(norms.parts.iter().enumerate().map(of));
    }
    let row = |epoch: &u64| {
        let all = kinds.iter().flat_map(|(_, of)| norms.parts.iter().map(|part| norm(*epoch, part, *of)));
        let told = all.map(|v| if v.is_nan() { "–".to_owned() } else { number(v) });
        std::iter::once(epoch.to_string()).chain(told).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = norms.epochs.iter().map(row).collect();
    let notes = notes(&columns, &rows);
    let x: Vec<f64> = norms.epochs.iter().map(|epoch| *epoch as f64).collect();
    let legend: Vec<(String, String)> =
        norms.parts.iter().enumerate().map(|(i, part)| (class(i), part.clone())).collect();
    let mut panels = Vec::new();
    for (title, of) in kinds {
        let lines: Vec<Vec<f64>> = norms
            .parts
            .iter()
            .map(|part| norms.epochs.iter().map(|epoch| norm(*epoch, part, of)).collect())
            .collect();
        if lines.iter().flatten().all(|v| v.is_nan()) {
            continue; // a GPU keeps its gradients to itself
        }
        let (parts, epochs) = (norms.parts.join(", "), norms.epochs.len());
        let chart = Chart {
            summary: format!("{title}: norms of {parts} over {epochs} epochs."),
            x: &x,
            x_axis: XAxis::Count("epoch"),
            lines: lines.iter().enumerate().map(|(i, values)| Line { class: class(i), values }).collect(),
            y: Format::Number,
            height: Height::Full,
            marks: Vec::new(),
            notes: notes.clone(),
        };
        panels.push(Panel {
            title: title.to_owned(),
            legend: legend.clone(),
            told: Told::Together,
            svg: chart.svg()?,
        });
    }
    Ok(Values { id: "norms-of", what: "epoch", panels, columns, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_summed_in_squares() {
        let row = |epoch, parameter: &str, weight_norm, gradient_norm| NormRow {
            epoch,
            step: 10 * epoch,
            parameter: parameter.to_owned(),
            weight_norm,
            gradient_norm,
        };
        let norms = Norms::of(&[
            row(1, "conv1.weight", 2.0, Some(0.5)),
            row(1, "layer1.0.conv1.weight", 3.0, Some(6.0)),
            row(1, "layer1.1.conv1.weight", 4.0, Some(8.0)),
            row(2, "conv1.weight", 1.0, None),
        ]);
        assert_eq!(norms.parts, ["conv1", "layer1"]);
        assert_eq!(norms.epochs, [1, 2]);
        let values = values(&norms).unwrap();
        assert_eq!(values.rows[0], ["1", "2.000", "5.000", "0.5000", "10.00"]);
        assert_eq!(values.rows[1], ["2", "1.000", "–", "–", "–"]);
    }
}
