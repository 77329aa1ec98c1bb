//! From a run's files to its figures.

use std::path::Path;

use anyhow::Result;
use wick_runs::{
    ConfusionTable, EpochRow, Figure, LrFinderReport, LrFinderRow, RunDir, read_json, read_rows,
};
use wick_viz as viz;

/// Writes a chart as PNG, light, and as SVG, which is as the reader's page.
pub fn save_chart(chart: &viz::Chart, png: &Path, svg: &Path) -> Result<()> {
    viz::save_png(&chart.png(viz::Theme::Light)?, png)?;
    Ok(viz::save_svg(&chart.svg(&viz::SvgOptions::default()), svg)?)
}

fn save(run: &RunDir, figure: Figure, chart: &viz::Chart) -> Result<()> {
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
    save(run, Figure::LrFinder, &viz::lr_finder(&data, &viz::LrFinderOptions::default())?)
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

/// Draws a schedule, step by step.
pub fn lr_schedule(run: &RunDir, lr: &[f64], momentum: &[f64], steps_per_epoch: usize) -> Result<()> {
    let data = viz::LrSchedule { lr, momentum };
    let options = viz::LrScheduleOptions { steps_per_epoch: Some(steps_per_epoch), ..Default::default() };
    save(run, Figure::LrSchedule, &viz::lr_schedule(&data, &options)?)
}
