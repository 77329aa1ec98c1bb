use crate::{
    Chart, VizError,
    chart::{
        Axis, Flag, Legend, Marker, Panel, Place, Series, Side, Stroke, Ticks, Words, draw_panel, finite,
        log10,
    },
    colour::palette::{BLUE, CYCLE, FAINT, MUTED},
    error::same_length,
    format,
    text::{self, Anchor, Style},
};

const FIGURE: &str = "learning-rate finder";
const WIDTH: f64 = 960.0;

/// A learning rate that a rule suggests.
#[derive(Clone, Copy, Debug)]
pub struct Suggestion<'a> {
    /// The rule's name.
    pub name: &'a str,
    /// What it suggests; NaN if it found nothing, which is then said below the chart.
    pub lr: f64,
}

/// What [`lr_finder`] draws: a range test, one value a step in each slice.
#[derive(Clone, Copy, Debug, Default)]
pub struct LrFinder<'a> {
    /// Learning rates.
    pub lr: &'a [f64],
    /// Loss at each; NaN and infinities are gaps.
    pub loss: &'a [f64],
    /// The loss smoothed; empty if it was not.
    pub smoothed: &'a [f64],
    /// Learning rates to mark.
    pub suggestions: &'a [Suggestion<'a>],
}

/// How [`lr_finder`] draws.
#[derive(Clone, Debug)]
pub struct LrFinderOptions {
    /// Above the chart.
    pub title: String,
    /// What the losses are, beside their axis: `loss` unless told.
    pub loss: String,
}

impl Default for LrFinderOptions {
    fn default() -> Self {
        Self { title: "Learning-rate range test".to_owned(), loss: "loss".to_owned() }
    }
}

/// Loss, faint, and smoothed loss, strong, over the learning rate on a logarithmic scale. Each suggestion is a vertical line
/// with its name and value above the chart. Where the raw loss is far above the smoothed one's highest, it is cut off.
///
/// # Errors
/// [`VizError::Empty`] without a learning rate, [`VizError::Length`] if the slices differ in length.
pub fn lr_finder(data: &LrFinder<'_>, options: &LrFinderOptions) -> Result<Chart, VizError> {
    if data.lr.is_empty() {
        return Err(VizError::Empty { figure: FIGURE, what: "the list of learning rates" });
    }
    same_length(FIGURE, "losses, one a learning rate", data.lr.len(), data.loss.len())?;
    if !data.smoothed.is_empty() {
        same_length(FIGURE, "smoothed losses, one a learning rate", data.lr.len(), data.smoothed.len())?;
    }
    let found: Vec<_> = data.suggestions.iter().filter(|s| usable(s.lr)).collect();
    let missing: Vec<_> = data.suggestions.iter().filter(|s| !usable(s.lr)).map(|s| s.name).collect();
    let note = match missing.is_empty() {
        true => String::new(),
        false => format!("Without a suggestion: {}", missing.join(", ")),
    };
    let panel = panel(data, &found, options);
    let foot = if note.is_empty() { 6.0 } else { 28.0 };
    let chart = 500.0 + 26.0 * found.len() as f64;
    let description = description(data, &found, &note, &options.loss);
    let words = Words { title: options.title.clone(), description };
    Ok(Chart::draw(FIGURE, (WIDTH, chart + foot), words, |brush| {
        draw_panel(brush, &panel, Place { x: 0.0, y: 4.0, width: WIDTH, height: chart });
        let style = Style::regular(13.0, MUTED);
        let note = text::elide(&note, style, WIDTH as f32 - 40.0);
        brush.text(&note, style, Anchor::Middle, (WIDTH / 2.0, chart + foot - 8.0));
    }))
}

/// What the figure shows, in sentences.
fn description(data: &LrFinder<'_>, found: &[&Suggestion<'_>], note: &str, loss: &str) -> String {
    let known = || data.lr.iter().copied().filter_map(finite);
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let mut letters = loss.chars();
    let loss: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let mut says = format!(
        "{loss} over {} learning rates from {} to {}.",
        data.lr.len(),
        format::rate(low),
        format::rate(high)
    );
    for suggestion in found {
        says.push_str(&format!(" {} suggests {}.", suggestion.name, format::rate(suggestion.lr)));
    }
    if !note.is_empty() {
        says.push_str(&format!(" {note}."));
    }
    says
}

fn usable(lr: f64) -> bool {
    finite(lr).is_some() && lr > 0.0
}

fn panel(data: &LrFinder<'_>, found: &[&Suggestion<'_>], options: &LrFinderOptions) -> Panel {
    let rates = data.lr.iter().chain(found.iter().map(|s| &s.lr)).map(|&lr| log10(lr));
    let x = Axis::log10("learning rate, log scale", rates, 0.015);
    let (main, other) =
        if data.smoothed.is_empty() { (data.loss, data.loss) } else { (data.smoothed, data.loss) };
    let line = |name: &str, values: &[f64], colour, width| Series {
        name: name.to_owned(),
        note: String::new(),
        points: data.lr.iter().map(|&lr| log10(lr)).zip(values.iter().copied()).collect(),
        colour,
        width,
        stroke: Stroke::Solid,
        marker: Marker::None,
        side: Side::Left,
    };
    let series = match data.smoothed {
        [] => vec![line("loss", data.loss, BLUE, 2.2)],
        smoothed => {
            vec![line("loss", data.loss, FAINT, 1.2), line("smoothed", smoothed, BLUE, 2.8)]
        }
    };
    let flags = found.iter().enumerate().map(|(i, s)| Flag {
        x: log10(s.lr),
        y: near(data.lr, main, s.lr),
        text: format!("{}: {}", text::elide(s.name, Style::regular(13.0, MUTED), 260.0), format::rate(s.lr)),
        colour: CYCLE[i % CYCLE.len()],
    });
    Panel {
        title: options.title.clone(),
        aside: String::new(),
        x,
        y: Axis::linear(&options.loss, shown(main, other), Ticks::Number, 7),
        right: None,
        bars: Vec::new(),
        bands: Vec::new(),
        swatches: Vec::new(),
        legend: Legend::Above,
        flags: flags.collect(),
        series,
        gutter: 0.0,
    }
}

/// The values that the axis has room for: all of `main`, and of `other` what does not lie far above.
fn shown(main: &[f64], other: &[f64]) -> impl Iterator<Item = f64> {
    let known = || main.iter().copied().filter_map(finite);
    let (low, high) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let limit = if low > high { f64::INFINITY } else { high + 0.15 * (high - low) };
    main.iter().copied().chain(other.iter().copied().filter(move |&v| v <= limit))
}

/// Where the curve of `values` over `rates` is at `lr`: on the straight line between its neighbours on the logarithmic scale.
fn near(rates: &[f64], values: &[f64], lr: f64) -> Option<f64> {
    let at = log10(lr);
    let points: Vec<(f64, f64)> = rates.iter().map(|&r| log10(r)).zip(values.iter().copied()).collect();
    let known = |p: &(f64, f64)| p.0.is_finite() && finite(p.1).is_some();
    let between = points.windows(2).find(|p| {
        let (low, high) = (p[0].0.min(p[1].0), p[0].0.max(p[1].0));
        known(&p[0]) && known(&p[1]) && low <= at && at <= high && low < high
    });
    match between {
        Some(p) => Some(p[0].1 + (p[1].1 - p[0].1) * (at - p[0].0) / (p[1].0 - p[0].0)),
        None => points.iter().find(|p| known(p) && p.0 == at).map(|p| p.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_meet_the_curve() {
        let (rates, losses) = ([1e-4, 1e-2, 1.0], [3.0, 1.0, f64::NAN]);
        assert!((near(&rates, &losses, 1e-3).unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(near(&rates, &losses, 1e-2), Some(1.0));
        assert_eq!(near(&rates, &losses, 1e-1), None);
        assert_eq!(near(&rates, &losses, 1e-9), None);
    }
}
