//! Norms of weights and gradients, part by part of the network.

use wick_runs::{NormRow, Norms};
use wick_viz::{LayerNorms, ParameterNorms, layer_norms};

use super::missing;
use crate::ReportError;
use crate::chart::{Chart, Column, Format, Height, Line, Panel, Told, Values, XAxis, notes};
use crate::format::number;
use crate::frame::Section;
use crate::read::Run;

/// Lines that can be told apart.
const PARTS: usize = 8;

/// One of the two norms.
type Kind = (&'static str, fn(&LayerNorms) -> &[f64]);

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("norms", "Norms");
    let Some(rows) = &run.norms else {
        return Ok(Section { id, title, lead: String::new(), body: missing(&run.dir.norms(), "train")? });
    };
    let lead = "Euclidean norms of all weights of each part of the network after each epoch, and of their gradients in its last step.";
    Ok(Section { id, title, lead: lead.to_owned(), body: values(rows)?.html()? })
}

fn values(rows: &[NormRow]) -> Result<Values, ReportError> {
    let norms = Norms::of(rows);
    let x: Vec<f64> = norms.epochs.iter().map(|epoch| *epoch as f64).collect();
    let parameters: Vec<_> = norms
        .parameters
        .iter()
        .map(|of| ParameterNorms { name: &of.name, weight: &of.weight, gradient: &of.gradient })
        .collect();
    let parts = layer_norms(&wick_viz::Norms { steps: &x, parameters: &parameters }, PARTS)?;
    let class = |i: usize| format!("s{i}");
    let kinds: [Kind; 2] = [("Weights", |part| &part.weight), ("Gradients", |part| &part.gradient)];
    let mut columns = vec![Column::new("x", "epoch")];
    for (kind, _) in &kinds {
        let of = |(i, part): (usize, &LayerNorms)| {
            Column::new(class(i), format!("{} {}", part.name, kind.to_lowercase()))
        };
        columns.extend(parts.iter().enumerate().map(of));
    }
    let row = |(i, epoch): (usize, &u64)| {
        let all = kinds.iter().flat_map(|(_, of)| parts.iter().map(move |part| of(part)[i]));
        let told = all.map(|v| if v.is_nan() { "–".to_owned() } else { number(v) });
        std::iter::once(epoch.to_string()).chain(told).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = norms.epochs.iter().enumerate().map(row).collect();
    let notes = notes(&columns, &rows);
    let legend: Vec<(String, String)> =
        parts.iter().enumerate().map(|(i, part)| (class(i), part.name.clone())).collect();
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    let mut panels = Vec::new();
    for (title, of) in kinds {
        let lines: Vec<&[f64]> = parts.iter().map(of).collect();
        if lines.iter().all(|line| line.iter().all(|v| v.is_nan())) {
            continue; // a GPU keeps its gradients to itself
        }
        let chart = Chart {
            summary: format!("{title}: norms of {} over {} epochs.", names.join(", "), x.len()),
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
        let values = values(&[
            row(1, "conv1.weight", 2.0, Some(0.5)),
            row(1, "layer1.0.conv1.weight", 3.0, Some(6.0)),
            row(1, "layer1.1.conv1.weight", 4.0, Some(8.0)),
            row(2, "conv1.weight", 1.0, None),
        ])
        .unwrap();
        let columns: Vec<&str> = values.columns.iter().map(|column| column.name.as_str()).collect();
        let expected = ["epoch", "conv1 weights", "layer1 weights", "conv1 gradients", "layer1 gradients"];
        assert_eq!(columns, expected);
        assert_eq!(values.rows[0], ["1", "2.000", "5.000", "0.5000", "10.00"]);
        assert_eq!(values.rows[1], ["2", "1.000", "–", "–", "–"]);
    }
}
