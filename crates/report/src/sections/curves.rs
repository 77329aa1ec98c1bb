//! Loss, accuracy, learning rate and momentum over the epochs.

use wick_runs::EpochRow;

use super::missing;
use crate::ReportError;
use crate::chart::{Chart, Column, Format, Height, Line, Panel, Told, Values, XAxis, notes};
use crate::format::{number, percent, short};
use crate::frame::Section;
use crate::read::Run;

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("curves", "Curves");
    let Some(epochs) = &run.epochs else {
        return Ok(Section { id, title, lead: String::new(), body: missing(&run.dir.epochs(), "train")? });
    };
    let lead = "Loss and accuracy of each epoch, with the learning rate and the momentum of its last step."
        .to_owned();
    Ok(Section { id, title, lead, body: values(run, epochs)?.html()? })
}

fn values(run: &Run, epochs: &[EpochRow]) -> Result<Values, ReportError> {
    let judge = run.judge();
    let columns = vec![
        Column::new("x", "epoch"),
        Column::new("train", "train loss"),
        Column::new("test", format!("{judge} loss")),
        Column::new("train", "train accuracy"),
        Column::new("test", format!("{judge} accuracy")),
        Column::new("rate", "learning rate"),
        Column::new("rate", "momentum"),
    ];
    let rows: Vec<Vec<String>> = epochs
        .iter()
        .map(|e| {
            vec![
                e.epoch.to_string(),
                number(e.train_loss),
                number(e.test_loss),
                percent(e.train_accuracy),
                percent(e.test_accuracy),
                number(e.lr),
                short(e.momentum),
            ]
        })
        .collect();
    let notes = notes(&columns, &rows);
    let column = |f: fn(&EpochRow) -> f64| epochs.iter().map(f).collect::<Vec<f64>>();
    let x = column(|e| e.epoch as f64);
    let panel = |title: &str, y: Format, height: Height, lines: &[(&str, &str, Vec<f64>)]| {
        let chart = Chart {
            summary: summary(title, epochs.len(), y, lines),
            x: &x,
            x_axis: XAxis::Count("epoch"),
            lines: lines.iter().map(|(class, _, v)| Line { class: (*class).to_owned(), values: v }).collect(),
            y,
            height,
            marks: Vec::new(),
            notes: notes.clone(),
        };
        let legend = lines.iter().map(|(class, name, _)| ((*class).to_owned(), (*name).to_owned()));
        Ok::<_, ReportError>(Panel {
            title: title.to_owned(),
            legend: legend.collect(),
            told: Told::Together,
            svg: chart.svg()?,
        })
    };
    let pair = |train, test| [("train", "train", column(train)), ("test", judge, column(test))];
    let panels = vec![
        panel("Loss", Format::Number, Height::Full, &pair(|e| e.train_loss, |e| e.test_loss))?,
        panel("Accuracy", Format::Percent, Height::Full, &pair(|e| e.train_accuracy, |e| e.test_accuracy))?,
        panel("Learning rate", Format::Number, Height::Low, &[("rate", "learning rate", column(|e| e.lr))])?,
        panel("Momentum", Format::Number, Height::Low, &[("rate", "momentum", column(|e| e.momentum))])?,
    ];
    Ok(Values { id: "epochs", what: "epoch", panels, columns, rows })
}

/// In words: where each line begins and ends.
fn summary(title: &str, epochs: usize, y: Format, lines: &[(&str, &str, Vec<f64>)]) -> String {
    let mut text = format!("{title} over {epochs} epochs:");
    for (i, (_, name, values)) in lines.iter().enumerate() {
        let ends = values.first().zip(values.last());
        let (first, last) = ends.map_or((f64::NAN, f64::NAN), |(first, last)| (*first, *last));
        let comma = if i > 0 { "," } else { "" };
        text += &format!("{comma} {name} from {} to {}", y.text(first), y.text(last));
    }
    text + "."
}
