//! Drawing a schedule.

use anyhow::Result;
use wick_optim::Length;
use wick_runs::{Figure, LrFinderReport, read_json};
use wick_train::Recipe;
use wick_viz::{Chart, LrSchedule, LrScheduleOptions, lr_schedule};

use crate::context::{Run, needs};
use crate::figures;

/// Draws a run's learning rate and momentum of every step over `images` training images an epoch.
pub fn draw(run: &Run, images: usize) -> Result<()> {
    let recipe = &run.recipe;
    let found = if recipe.schedule.needs_range_test() {
        needs(&run.dir.lr_finder_json(), "find-lr")?;
        let report: LrFinderReport = read_json(&run.dir.lr_finder_json())?;
        report.suggestions.get("steepest").map(|s| s.lr)
    } else {
        None
    };
    figures::save(&run.dir, Figure::LrSchedule, &chart(recipe, images, found, None)?)
}

/// Learning rate and momentum of every step of a recipe: of a plateau, as long as all goes well.
pub fn chart(recipe: &Recipe, images: usize, found: Option<f64>, title: Option<String>) -> Result<Chart> {
    let steps_per_epoch = recipe.steps_per_epoch(images);
    let length = Length { epochs: recipe.train.epochs, steps_per_epoch };
    let schedule = recipe.schedule(length, found)?;
    let fixed = recipe.optim.momentum().unwrap_or(0.0);
    let (lr, momentum): (Vec<f64>, Vec<f64>) = (0..length.steps())
        .map(|step| {
            let point = schedule.at(step, &[]);
            (point.learning_rate, point.momentum.unwrap_or(fixed))
        })
        .unzip();
    let options = LrScheduleOptions { title, steps_per_epoch: Some(steps_per_epoch) };
    Ok(lr_schedule(&LrSchedule { lr: &lr, momentum: &momentum }, &options)?)
}
