//! From a run's files to its figures.

use std::path::Path;

use anyhow::Result;
use wick_metrics::Calibration;
use wick_runs::{
    ConfusionTable, EpochRow, Figure, LrFinderReport, LrFinderRow, Norms, PerClassRow, Predictions, RunDir,
    read_json, read_rows,
};
use wick_viz as viz;

/// Bins of confidence: as many as Guo et al. (2017) take.
const CALIBRATION_BINS: usize = 15;

/// Writes a chart as PNG, light, and as SVG, which is as the reader's page.
pub fn save_chart(chart: &viz::Chart, png: &Path, svg: &Path) -> Result<()> {
    viz::save_png(&chart.png(viz::Theme::Light)?, png)?;
    Ok(viz::save_svg(&chart.svg(&viz::SvgOptions::default()), svg)?)
}

/// Writes a run's chart, both ways.
pub fn save(run: &RunDir, figure: Figure, chart: &viz::Chart) -> Result<()> {
    save_chart(chart, &run.figure(figure), &run.figure_svg(figure))
}

/// Draws `lr_finder.csv` with every suggestion marked.
pub fn lr_finder(run: &RunDir) -> Result<()> {
    let rows: Vec<LrFinderRow> = read_rows(&run.lr_finder_csv())?;
    let report: LrFinderReport = read_json(&run.lr_finder_json())?;
    let column = |f: fn(&LrFinderRow) -> f64| rows.iter().map(f).collect::<Vec<_>>();
    let suggestions: Vec<viz::Suggestion<'_>> =
        report.suggestions.iter().map(|(name, s)| viz::Suggestion { name, lr: s.lr }).collect();
    let data = viz::LrFinder {
        lr: &column(|r| r.lr),
        loss: &column(|r| r.loss),
        smoothed: &column(|r| r.smoothed),
        suggestions: &suggestions,
    };
    let options = viz::LrFinderOptions { loss: report.settings.loss.name(), ..Default::default() };
    save(run, Figure::LrFinder, &viz::lr_finder(&data, &options)?)
}

/// Draws `epochs.csv`.
pub fn curves(run: &RunDir, title: &str) -> Result<()> {
    let rows: Vec<EpochRow> = read_rows(&run.epochs())?;
    let column = |f: fn(&EpochRow) -> f64| rows.iter().map(f).collect::<Vec<_>>();
    let data = viz::Curves {
        train_loss: &column(|r| r.train_loss),
        test_loss: &column(|r| r.test_loss),
        train_accuracy: &column(|r| r.train_accuracy),
        test_accuracy: &column(|r| r.test_accuracy),
        lr: &column(|r| r.lr),
        momentum: &column(|r| r.momentum),
    };
    let options = viz::CurvesOptions { title: Some(title.to_owned()), ..Default::default() };
    save(run, Figure::Curves, &viz::curves(&data, &options)?)
}

/// Draws `confusion.csv`.
pub fn confusion(run: &RunDir) -> Result<()> {
    let table = ConfusionTable::read(&run.confusion())?;
    let counts: Vec<u64> = table.counts.concat();
    let picture = viz::confusion(&counts, &table.class_names, &viz::ConfusionOptions::default())?;
    Ok(viz::save_png(&picture, &run.figure(Figure::Confusion))?)
}

/// Draws `per_class.csv` with a mark at each published value, where there is one a class.
pub fn per_class(run: &RunDir, published: &[f64]) -> Result<()> {
    let rows: Vec<PerClassRow> = read_rows(&run.per_class())?;
    let published = |i: usize| (published.len() == rows.len()).then(|| published[i]);
    let classes: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(i, row)| viz::ClassAccuracy {
            name: &row.name,
            accuracy: row.accuracy,
            published: published(i),
        })
        .collect();
    // Ten are looked up by name, a hundred are read from the top.
    let order = if classes.len() > 20 { viz::ClassOrder::BestFirst } else { viz::ClassOrder::Given };
    let options = viz::PerClassOptions { order, ..Default::default() };
    save(run, Figure::PerClass, &viz::per_class(&classes, &options)?)
}

/// Draws how far the confidences in `predictions.csv` can be relied on.
pub fn reliability(run: &RunDir) -> Result<()> {
    let predictions = Predictions::read(&run.predictions())?;
    let truth: Vec<usize> = predictions.rows.iter().map(|row| row.truth).collect();
    let probabilities: Vec<f32> =
        predictions.rows.iter().flat_map(|row| &row.probabilities).copied().collect();
    let found = Calibration::new(&truth, &probabilities, predictions.class_names.len(), CALIBRATION_BINS)?;
    let bins: Vec<_> = found
        .bins
        .iter()
        .map(|bin| viz::ReliabilityBin {
            lower: bin.lower,
            upper: bin.upper,
            images: bin.count as u64,
            confidence: bin.confidence,
            accuracy: bin.accuracy,
        })
        .collect();
    let data = viz::Reliability {
        bins: &bins,
        expected_error: found.expected_error,
        maximum_error: found.maximum_error,
    };
    save(run, Figure::Reliability, &viz::reliability(&data, &viz::ReliabilityOptions::default())?)
}

/// Draws `norms.csv`.
pub fn norms(run: &RunDir) -> Result<()> {
    let norms = Norms::of(&read_rows(&run.norms())?);
    let steps: Vec<f64> = norms.steps.iter().map(|step| *step as f64).collect();
    let parameters: Vec<_> = norms
        .parameters
        .iter()
        .map(|of| viz::ParameterNorms { name: &of.name, weight: &of.weight, gradient: &of.gradient })
        .collect();
    let data = viz::Norms { steps: &steps, parameters: &parameters };
    let gradients_of = Some("each epoch's last step".to_owned());
    let options = viz::NormsOptions { gradients_of, ..Default::default() };
    save(run, Figure::Norms, &viz::norms(&data, &options)?)
}
