//! `compare`: runs beside each other, grouped by recipe.

mod check;
mod group;
mod judged;
mod tell;

use std::path::PathBuf;

use anyhow::Result;
use wick_metrics::{mean, standard_deviation};
use wick_runs::{ComparedRecipe, Comparison, ComparisonDir, Judge, write_json, write_rows};

use crate::context::StageEnd;
use crate::terminal;
use group::Group;

/// `compare`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run folders; a recipe's folder stands for the latest finished run of each recipe and seed in it. They are grouped by recipe, whatever
    /// their seeds, and every further recipe is compared with that of the first run named.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Where to write the tables and the figure.
    #[arg(long, value_name = "DIR", default_value = "comparison")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<StageEnd> {
    let runs = judged::open(&args.runs)?;
    let warnings = check::comparable(&runs)?;
    let (judge, images, dataset) = (runs[0].judge(), runs[0].dataset.test, runs[0].dataset.name.clone());
    let groups = group::by_recipe(runs)?;
    let recipes = groups.iter().map(summary).collect::<Result<Vec<_>>>()?;
    let differences = recipes[1..].iter().map(|recipe| tell::difference(recipe, &recipes[0]));
    let differences = differences.collect::<Result<Vec<_>>>()?;
    let comparison = Comparison { dataset, judge, images, warnings, recipes, differences };

    let out = ComparisonDir::names_below(&args.out);
    let rows: Vec<_> = comparison.recipes.iter().flat_map(|recipe| recipe.runs.clone()).collect();
    write_rows(&out.csv(), &rows)?;
    write_json(&out.json(), &comparison)?;
    draw(&groups, &comparison, &out)?;
    let value = serde_json::to_value(&comparison)?;
    let written = [out.csv(), out.json(), out.figure()];
    terminal::tell(|| tell::text(&comparison), &written, || value)?;
    Ok(StageEnd::Done)
}

/// A group's figures.
fn summary(group: &Group) -> Result<ComparedRecipe> {
    let runs = group.runs.iter().map(|run| run.record(&group.name)).collect::<Result<Vec<_>>>()?;
    let last: Vec<f64> = runs.iter().map(|run| run.last_accuracy).collect();
    let best: Vec<f64> = runs.iter().map(|run| run.best_accuracy).collect();
    let seconds: Vec<f64> = runs.iter().map(|run| run.train_seconds).collect();
    Ok(ComparedRecipe {
        name: group.name.clone(),
        mean_accuracy: mean(&last)?,
        standard_deviation: if last.len() > 1 { Some(standard_deviation(&last)?) } else { None },
        mean_best_accuracy: mean(&best)?,
        mean_train_seconds: mean(&seconds)?,
        runs,
    })
}

use crate::figures::save_chart;

fn draw(groups: &[Group], comparison: &Comparison, out: &ComparisonDir) -> Result<()> {
    // Of each run, epoch by epoch.
    let curves: Vec<[Vec<Vec<f64>>; 2]> = groups
        .iter()
        .map(|group| {
            let of = |f: fn(&wick_runs::EpochRow) -> f64| {
                group.runs.iter().map(|run| run.epochs.iter().map(f).collect()).collect()
            };
            [of(|e| e.test_loss), of(|e| e.test_accuracy)]
        })
        .collect();
    let shown: Vec<_> = groups
        .iter()
        .zip(&curves)
        .map(|(g, [loss, accuracy])| wick_viz::ComparedRuns { name: &g.name, loss, accuracy })
        .collect();
    let split = match comparison.judge {
        Judge::Test => "test split",
        Judge::Holdout => "held-out images",
    };
    let title = tell::judged_by(comparison);
    let options = wick_viz::ComparisonOptions { title: Some(title), split: split.to_owned() };
    save_chart(&wick_viz::comparison(&shown, &options)?, &out.figure(), &out.figure_svg())
}
