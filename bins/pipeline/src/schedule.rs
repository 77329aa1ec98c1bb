//! Drawing a schedule.

use std::path::PathBuf;

use anyhow::Result;
use wick_optim::{PlateauMode, ScheduleConfig};
use wick_runs::{Figure, LrFinderReport, StepRow, read_json, read_rows};
use wick_train::Recipe;
use wick_viz::{Chart, LrSchedule, LrScheduleOptions, lr_schedule};

use crate::context::{Run, needs};
use crate::figures;

/// The files that a run's schedule is drawn of, besides its recipe and its data.
pub fn files(run: &Run) -> Vec<PathBuf> {
    let schedule = &run.recipe.schedule;
    let mut files = Vec::new();
    if schedule.needs_range_test() {
        files.push(run.dir.lr_finder_json());
    }
    if schedule.needs_metrics() && run.dir.steps().exists() {
        files.push(run.dir.steps());
    }
    files
}

/// Draws a run's learning rate and momentum of every step over `images` training images an epoch. What follows the metrics is
/// drawn as it was, as far as training has come.
pub fn draw(run: &Run, images: usize) -> Result<()> {
    let recipe = &run.recipe;
    let used = used(run)?;
    let chart = if used.is_empty() {
        let found = if recipe.schedule.needs_range_test() {
            needs(&run.dir.lr_finder_json(), "find-lr")?;
            let report: LrFinderReport = read_json(&run.dir.lr_finder_json())?;
            report.suggestions.get("steepest").map(|s| s.lr)
        } else {
            None
        };
        let title = assumed(recipe).map(|_| title(recipe));
        planned(recipe, images, found, title)?
    } else {
        let lr: Vec<f64> = used.iter().map(|step| step.lr).collect();
        let momentum = vec![recipe.optim.momentum().unwrap_or(0.0); lr.len()];
        let title = format!("{}: learning rate and momentum that were used", recipe.name);
        chart(&lr, &momentum, recipe.steps_per_epoch(images), Some(title))?
    };
    figures::save(&run.dir, Figure::LrSchedule, &chart)
}

/// The steps that have been taken, where their rates are not known before.
fn used(run: &Run) -> Result<Vec<StepRow>> {
    if !run.recipe.schedule.needs_metrics() || !run.dir.steps().exists() {
        return Ok(Vec::new());
    }
    Ok(read_rows(&run.dir.steps())?)
}

/// What is drawn of a recipe alone, with what it takes for granted.
pub fn title(recipe: &Recipe) -> String {
    let assumed = assumed(recipe).map(|assumed| format!(", {assumed}")).unwrap_or_default();
    format!("{}: learning rate and momentum{assumed}", recipe.name)
}

/// How the metrics have to go for the rates to be as they are drawn without them. A sequence has no plateau.
fn assumed(recipe: &Recipe) -> Option<String> {
    let ScheduleConfig::Plateau(options) = &recipe.schedule else { return None };
    let split = if recipe.data.holdout > 0 { "held-out" } else { "test" };
    let goes = match options.mode {
        PlateauMode::Min => "loss falls",
        PlateauMode::Max => "accuracy rises",
    };
    Some(format!("as long as the {split} {goes}"))
}

/// Learning rate and momentum of every step of a recipe: of a plateau, as long as all goes well.
pub fn planned(recipe: &Recipe, images: usize, found: Option<f64>, title: Option<String>) -> Result<Chart> {
    let length = recipe.length(images);
    let schedule = recipe.schedule(length, found)?;
    let fixed = recipe.optim.momentum().unwrap_or(0.0);
    let (lr, momentum): (Vec<f64>, Vec<f64>) = (0..length.steps())
        .map(|step| {
            let point = schedule.at(step, &[]);
            (point.learning_rate, point.momentum.unwrap_or(fixed))
        })
        .unzip();
    chart(&lr, &momentum, length.steps_per_epoch, title)
}

fn chart(lr: &[f64], momentum: &[f64], steps_per_epoch: usize, title: Option<String>) -> Result<Chart> {
    let options = LrScheduleOptions { title, steps_per_epoch: Some(steps_per_epoch) };
    Ok(lr_schedule(&LrSchedule { lr, momentum }, &options)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipes::named_with;
    use wick_runs::{RunDir, write_rows};

    fn run(root: &std::path::Path, set: &[&str]) -> Run {
        let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
        Run { dir: RunDir::at(root).unwrap(), recipe: named_with("s8-layernorm", &set).unwrap() }
    }

    fn drawn(run: &Run) -> String {
        draw(run, 256).unwrap();
        std::fs::read_to_string(run.dir.figure_svg(Figure::LrSchedule)).unwrap()
    }

    #[test]
    fn a_plateau_says_what_it_takes_for_granted() {
        let root = tempfile::tempdir().unwrap();
        let told = |set: &[&str]| title(&run(root.path(), set).recipe);
        let loss = "s8-layernorm: learning rate and momentum, as long as the test loss falls";
        assert_eq!(told(&[]), loss);
        assert!(told(&["data.holdout=100", "schedule.mode=max"]).ends_with("held-out accuracy rises"));
        assert_eq!(assumed(&named_with("s11", &[]).unwrap()), None);
        let svg = drawn(&run(root.path(), &["train.epochs=3"]));
        assert!(svg.contains(loss) && !svg.contains("→"), "one rate throughout");
    }

    #[test]
    fn a_plateau_that_was_trained_is_drawn_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let run = run(root.path(), &["train.epochs=3"]);
        assert!(files(&run).is_empty());
        let step = |step: u64| StepRow {
            step,
            epoch: step.div_ceil(2),
            lr: if step < 5 { 0.05 } else { 0.01 },
            loss: 1.0,
        };
        write_rows(&run.dir.steps(), &(1..=6).map(step).collect::<Vec<_>>()).unwrap();
        assert_eq!(files(&run), [run.dir.steps()]);
        let svg = drawn(&run);
        assert!(svg.contains("0.05 → 0.01") && svg.contains("that were used"), "{}", &svg[..600]);
    }
}
