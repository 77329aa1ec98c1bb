use super::headline;
use crate::{
    Chart, VizError,
    chart::{
        Axis, Legend, Marker, Panel, Place, Series, Side, Stroke, Ticks, Words, draw_panel, finite,
        left_gutter,
    },
    colour::palette::{Colour, GREEN, PURPLE},
    error::same_length,
    format,
};

const FIGURE: &str = "learning-rate schedule";
const WIDTH: f64 = 960.0;
const PANEL: f64 = 300.0;

/// What [`lr_schedule`] draws: one value a step in each slice, the first step being 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct LrSchedule<'a> {
    /// Learning rate.
    pub lr: &'a [f64],
    /// Momentum; empty if there is none.
    pub momentum: &'a [f64],
}

/// How [`lr_schedule`] draws.
#[derive(Clone, Debug, Default)]
pub struct LrScheduleOptions {
    /// Above everything, if any.
    pub title: Option<String>,
    /// If known, the axis says how many epochs the steps make.
    pub steps_per_epoch: Option<usize>,
}

/// Learning rate and, below it, momentum over the steps.
///
/// # Errors
/// [`VizError::Empty`] without a step, [`VizError::Length`] if there are momenta, but not one a step.
pub fn lr_schedule(data: &LrSchedule<'_>, options: &LrScheduleOptions) -> Result<Chart, VizError> {
    if data.lr.is_empty() {
        return Err(VizError::Empty { figure: FIGURE, what: "the list of learning rates" });
    }
    let mut panels = vec![panel("Learning rate", "learning rate", data.lr, GREEN, options)];
    if !data.momentum.is_empty() {
        same_length(FIGURE, "momenta, one a step", data.lr.len(), data.momentum.len())?;
        panels.push(panel("Momentum", "momentum", data.momentum, PURPLE, options));
    }
    let gutter = panels.iter().map(|p| left_gutter(&p.y)).fold(0.0, f64::max);
    let head = if options.title.is_some() { 40.0 } else { 6.0 };
    let height = head + PANEL * panels.len() as f64 + 4.0;
    let words = Words {
        title: options.title.clone().unwrap_or_else(|| "Learning-rate schedule".to_owned()),
        description: panels
            .iter()
            .map(|p| format!("{} over {}: {}. ", p.title, p.x.label, p.aside))
            .collect(),
    };
    Ok(Chart::draw(FIGURE, (WIDTH, height), words, |brush| {
        headline(brush, options.title.as_deref(), WIDTH);
        for (i, panel) in panels.into_iter().enumerate() {
            let y = head + PANEL * i as f64;
            let panel = Panel { gutter, ..panel };
            draw_panel(brush, &panel, Place { x: 0.0, y, width: WIDTH, height: PANEL });
        }
    }))
}

fn panel(title: &str, label: &str, values: &[f64], colour: Colour, options: &LrScheduleOptions) -> Panel {
    let n = values.len();
    let x = match options.steps_per_epoch {
        Some(per) if per > 0 && n >= per => {
            let epochs = format::fixed(n as f64 / per as f64, usize::from(!n.is_multiple_of(per)));
            let (unit, per) = (if epochs == "1" { "epoch" } else { "epochs" }, format::count(per as u64));
            format!("step ({epochs} {unit} of {per} steps)")
        }
        _ => "step".to_owned(),
    };
    let series = Series {
        name: String::new(),
        note: String::new(),
        points: values.iter().enumerate().map(|(i, &v)| (i as f64, v)).collect(),
        colour,
        width: 2.6,
        stroke: Stroke::Solid,
        marker: if n <= 60 { Marker::Disc } else { Marker::None },
        side: Side::Left,
    };
    Panel {
        title: title.to_owned(),
        aside: extremes(values),
        x: Axis::whole(&x, 0.0, n, 9),
        y: Axis::linear(label, values.iter().copied(), Ticks::Number, 5).coloured(colour),
        right: None,
        series: vec![series],
        bars: Vec::new(),
        bands: Vec::new(),
        swatches: Vec::new(),
        legend: Legend::Above,
        flags: Vec::new(),
        gutter: 0.0,
    }
}

/// Start, highest or lowest in between, end.
fn extremes(values: &[f64]) -> String {
    let known: Vec<(usize, f64)> =
        values.iter().enumerate().filter_map(|(i, &v)| finite(v).map(|v| (i, v))).collect();
    let (Some(&(_, start)), Some(&(_, end))) = (known.first(), known.last()) else { return String::new() };
    let far = |v: f64| (v - start).abs().max((v - end).abs());
    let turn = known.iter().fold((0, start), |t, &k| if far(k.1) > far(t.1) { k } else { t });
    let (from, to) = (format::rate(start), format::rate(end));
    match turn {
        (_, v) if v > start.max(end) || v < start.min(end) => {
            format!("{from} → {} at step {} → {to}", format::rate(v), format::count(turn.0 as u64))
        }
        _ if from == to => from,
        _ => format!("{from} → {to}"),
    }
}
