use super::{curves::spans_decades, headline, look::series};
use crate::{
    Chart, VizError,
    chart::{Axis, Band, Legend, Panel, Place, Ticks, Words, draw_panel, finite, key, log10},
    colour::palette::{CYCLE, MUTED},
    error::same_length,
    format,
    text::{Anchor, Style},
};

const FIGURE: &str = "comparison";
const WIDTH: f64 = 1040.0;
const PANEL: f64 = 400.0;
/// A line of the legend, which stands above both panels: names may be long.
const ROW: f64 = 24.0;

/// Runs that differ in their random numbers alone; NaN and infinities are gaps.
#[derive(Clone, Copy, Debug)]
pub struct ComparedRuns<'a> {
    /// What they have in common.
    pub name: &'a str,
    /// Loss after each epoch, a slice a run; all of one length.
    pub loss: &'a [Vec<f64>],
    /// Accuracy after each epoch, a fraction, likewise.
    pub accuracy: &'a [Vec<f64>],
}

/// How [`comparison`] draws.
#[derive(Clone, Debug)]
pub struct ComparisonOptions {
    /// Above everything, if any.
    pub title: Option<String>,
    /// Which images loss and accuracy are of, as `test`.
    pub split: String,
}

impl Default for ComparisonOptions {
    fn default() -> Self {
        Self { title: None, split: "test".to_owned() }
    }
}

/// Loss and accuracy over the epochs of several recipes, each the mean of its runs in a band from the lowest to the highest of them.
///
/// # Errors
/// [`VizError::Empty`] if there is no run or no epoch, [`VizError::Length`] if the runs of a recipe differ in length.
pub fn comparison(groups: &[ComparedRuns<'_>], options: &ComparisonOptions) -> Result<Chart, VizError> {
    let epochs = check(groups)?;
    let head = if options.title.is_some() { 40.0 } else { 8.0 };
    let legend = ROW * (groups.len() + 1) as f64;
    let height = head + legend + PANEL + 4.0;
    let half = WIDTH / 2.0;
    let [loss, accuracy] = [loss(groups, epochs, options), accuracy(groups, epochs, options)];
    let words = Words {
        title: options.title.clone().unwrap_or_else(|| "Comparison".to_owned()),
        description: groups.iter().map(|g| format!("{}. ", legend_text(g))).collect(),
    };
    Ok(Chart::draw(FIGURE, (WIDTH, height), words, |brush| {
        headline(brush, options.title.as_deref(), WIDTH);
        for (i, group) in groups.iter().enumerate() {
            let line = series(i, legend_text(group), &[]);
            key(brush, &line, (40.0, head + ROW * (i as f64 + 0.5)), WIDTH - 20.0);
        }
        let style = Style::regular(13.0, MUTED);
        let says = "line: mean over the seeds; band: from the lowest to the highest seed";
        brush.text_centred(says, style, Anchor::Start, (40.0, head + legend - ROW / 2.0));
        let place = |x| Place { x, y: head + legend, width: half, height: PANEL };
        draw_panel(brush, &loss, place(0.0));
        draw_panel(brush, &accuracy, place(half));
    }))
}

fn check(groups: &[ComparedRuns<'_>]) -> Result<usize, VizError> {
    let mut longest = 0;
    for group in groups {
        let epochs = group.accuracy.first().map_or(0, Vec::len);
        if epochs == 0 {
            return Err(VizError::Empty { figure: FIGURE, what: "the accuracy of a run" });
        }
        same_length(FIGURE, "runs with losses", group.accuracy.len(), group.loss.len())?;
        for values in group.loss.iter().chain(group.accuracy) {
            same_length(FIGURE, "a run, one value an epoch", epochs, values.len())?;
        }
        longest = longest.max(epochs);
    }
    if longest == 0 {
        Err(VizError::Empty { figure: FIGURE, what: "the list of recipes" })
    } else {
        Ok(longest)
    }
}

fn legend_text(group: &ComparedRuns<'_>) -> String {
    let last: Vec<f64> = group.accuracy.iter().filter_map(|run| run.last().copied()).collect();
    let mean = format::percent2(last.iter().sum::<f64>() / last.len() as f64);
    let n = last.len();
    format!("{}: {mean} after the last epoch, n = {n}", group.name)
}

fn loss(groups: &[ComparedRuns<'_>], epochs: usize, options: &ComparisonOptions) -> Panel {
    let all = || groups.iter().flat_map(|g| g.loss.iter().flatten().copied());
    let log = spans_decades(all());
    let scale = |v: f64| if log { log10(v) } else { v };
    let y = match log {
        true => Axis::log10("loss, log scale", all().map(log10), 0.05),
        false => Axis::linear("loss", all(), Ticks::Number, 6),
    };
    let lines: Vec<Vec<Spread>> = groups.iter().map(|g| spread(g.loss, scale)).collect();
    panel(groups, format!("Loss, {}", options.split), y, epochs, &lines)
}

fn accuracy(groups: &[ComparedRuns<'_>], epochs: usize, options: &ComparisonOptions) -> Panel {
    let all = groups.iter().flat_map(|g| g.accuracy.iter().flatten().copied());
    let y = Axis::linear("accuracy", all, Ticks::Percent, 6);
    let lines: Vec<Vec<Spread>> = groups.iter().map(|g| spread(g.accuracy, |v| v)).collect();
    panel(groups, format!("Accuracy, {}", options.split), y, epochs, &lines)
}

fn panel(groups: &[ComparedRuns<'_>], title: String, y: Axis, epochs: usize, lines: &[Vec<Spread>]) -> Panel {
    let at = |e: usize| (e + 1) as f64;
    let band = |(i, line): (usize, &Vec<Spread>)| Band {
        points: line.iter().enumerate().map(|(e, s)| (at(e), s.low, s.high)).collect(),
        colour: CYCLE[i % CYCLE.len()],
    };
    let mean = |(i, line): (usize, &Vec<Spread>)| {
        let points: Vec<_> = line.iter().enumerate().map(|(e, s)| (at(e), s.mean)).collect();
        series(i, groups[i].name.to_owned(), &points)
    };
    Panel {
        title,
        aside: String::new(),
        x: Axis::whole("epoch", 1.0, epochs, 8),
        y,
        right: None,
        bars: Vec::new(),
        bands: lines.iter().enumerate().map(band).collect(),
        series: lines.iter().enumerate().map(mean).collect(),
        swatches: Vec::new(),
        legend: Legend::Elsewhere,
        flags: Vec::new(),
        gutter: 0.0,
    }
}

/// An epoch's values over the runs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    mean: f64,
    low: f64,
    high: f64,
}

/// Each epoch's mean, lowest and highest on the panel's scale; NaN where a run has no finite value, which no mean could stand for.
fn spread(runs: &[Vec<f64>], scale: impl Fn(f64) -> f64) -> Vec<Spread> {
    let epochs = runs.first().map_or(0, Vec::len);
    let of = |epoch: usize| {
        let values: Option<Vec<f64>> = runs.iter().map(|run| finite(run[epoch])).collect();
        let Some(values) = values else { return Spread { mean: f64::NAN, low: f64::NAN, high: f64::NAN } };
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Spread { mean: scale(mean), low: scale(low), high: scale(high) }
    };
    (0..epochs).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_reaches_from_the_lowest_to_the_highest_run() {
        let runs = [vec![1.0, 2.0, f64::NAN], vec![4.0, 2.0, 1.0], vec![1.0, 5.0, 1.0]];
        let of = spread(&runs, |v| v);
        assert_eq!(
            of[..2],
            [Spread { mean: 2.0, low: 1.0, high: 4.0 }, Spread { mean: 3.0, low: 2.0, high: 5.0 }]
        );
        assert!(of[2].mean.is_nan() && of[2].low.is_nan(), "a mean of two would not stand for three");
        let log = spread(&[vec![10.0], vec![1000.0]], f64::log10);
        assert!((log[0].mean - 505f64.log10()).abs() < 1e-12, "the logarithm of the mean");
    }

    #[test]
    fn the_legend_tells_mean_and_number() {
        let (loss, accuracy) = ([vec![1.0], vec![1.0]], [vec![0.5], vec![0.52]]);
        let group = ComparedRuns { name: "s11", loss: &loss, accuracy: &accuracy };
        assert_eq!(legend_text(&group), "s11: 51.00 % after the last epoch, n = 2");
    }
}
