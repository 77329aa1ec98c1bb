//! The headline figures.

use askama::Template;
use wick_metrics::Calibration;
use wick_runs::Predictions;

use super::missing;
use crate::ReportError;
use crate::format::{count, duration, number, percent};
use crate::frame::Section;
use crate::read::Run;

/// Bins of confidence, as Guo et al. take them.
pub(crate) const BINS: usize = 15;

#[derive(Template)]
#[template(path = "sections/results.html")]
struct Tiles {
    first: Tile,
    others: Vec<Tile>,
}

struct Tile {
    name: String,
    value: String,
    note: String,
}

/// The figures of a run that are compared with another's; fractions, seconds.
#[derive(Default)]
pub(crate) struct Figures {
    pub last: Option<f64>,
    /// With its epoch.
    pub best: Option<(f64, u64)>,
    pub train: Option<f64>,
    pub loss: Option<f64>,
    pub calibration_error: Option<f64>,
    /// Of the bin where confidence and accuracy are furthest apart.
    pub maximum_error: Option<f64>,
    pub seconds: Option<f64>,
    pub images_per_second: Option<f64>,
}

/// The figures of a run, as far as its files have them.
pub(crate) fn figures(run: &Run) -> Result<Figures, ReportError> {
    let mut figures = Figures::default();
    if let Some(epochs) = &run.epochs {
        let last = epochs.last();
        figures.last = last.map(|e| e.test_accuracy);
        figures.loss = last.map(|e| e.test_loss);
        figures.train = last.map(|e| e.train_accuracy);
        let judged = epochs.iter().filter(|e| e.test_accuracy.is_finite());
        // Of equals the earliest.
        let best = judged.reduce(|best, e| if e.test_accuracy > best.test_accuracy { e } else { best });
        figures.best = best.map(|e| (e.test_accuracy, e.epoch));
    }
    if let Some(timing) = run.timing.as_ref().filter(|rows| !rows.is_empty()) {
        figures.seconds = Some(timing.iter().map(|t| t.seconds).sum());
        let mut rates: Vec<f64> = timing.iter().map(|t| t.images_per_second).collect();
        rates.sort_by(f64::total_cmp);
        figures.images_per_second = rates.get(rates.len() / 2).copied();
    }
    if let Some(predictions) = &run.predictions {
        let calibration = calibration(run, predictions)?;
        figures.calibration_error = calibration.as_ref().map(|c| c.expected_error);
        figures.maximum_error = calibration.map(|c| c.maximum_error);
    }
    Ok(figures)
}

/// How far confidence and accuracy are apart; nothing for no predictions.
pub(crate) fn calibration(run: &Run, predictions: &Predictions) -> Result<Option<Calibration>, ReportError> {
    if predictions.rows.is_empty() {
        return Ok(None);
    }
    let truth: Vec<usize> = predictions.rows.iter().map(|row| row.truth).collect();
    let probabilities: Vec<f32> = predictions.rows.iter().flat_map(|row| row.probabilities.clone()).collect();
    let calibration = Calibration::new(&truth, &probabilities, predictions.class_names.len(), BINS)
        .map_err(|source| ReportError::Predictions { path: run.dir.predictions(), source })?;
    Ok(Some(calibration))
}

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("results", "Results");
    if run.epochs.is_none() {
        return Ok(Section { id, title, lead: String::new(), body: missing(&run.dir.epochs(), "train")? });
    }
    let body = tiles(run, &figures(run)?).render()?;
    Ok(Section { id, title, lead: String::new(), body })
}

fn tiles(run: &Run, figures: &Figures) -> Tiles {
    let judge = run.judge();
    let tile = |name: String, value: String, note: String| Tile { name, value, note };
    let first = tile(
        format!("{judge} accuracy, last epoch"),
        figures.last.map_or("–".to_owned(), percent),
        judged(run),
    );
    let mut others = Vec::new();
    if let Some((best, epoch)) = figures.best {
        let note = format!("epoch {epoch}; chosen by looking at the {judge} images");
        others.push(tile(format!("{judge} accuracy, best epoch"), percent(best), note));
    }
    let mut push = |name: &str, value: Option<String>, note: String| {
        others.extend(value.map(|value| tile(name.to_owned(), value, note)));
    };
    push("train accuracy", figures.train.map(percent), "last epoch, while training".to_owned());
    push(&format!("{judge} loss"), figures.loss.map(number), "last epoch".to_owned());
    let error = figures.calibration_error.map(percent);
    let maximum = figures.maximum_error.map(|e| format!("; {} at most", percent(e))).unwrap_or_default();
    push("calibration error", error, format!("expected, {BINS} bins{maximum}"));
    let rate =
        figures.images_per_second.map(|r| format!("{} images/s at the median", count(r.round() as u64)));
    push("training time", figures.seconds.map(duration), rate.unwrap_or_default());
    Tiles { first, others }
}

/// `9,249 of 10,000 images`, where the table of classes was made of the same.
fn judged(run: &Run) -> String {
    let Some(rows) = &run.per_class else { return String::new() };
    let (right, all) = rows.iter().fold((0, 0), |(right, all), r| (right + r.correct, all + r.images));
    format!("evaluated: {} of {} right", count(right), count(all))
}
