//! `find-lr`: the learning-rate range test.

use std::collections::BTreeMap;

use anyhow::Result;
use wick_optim::{Ending, OptimError, RangeTest, RangeTestOptions, Spacing};
use wick_runs::{
    Figure, Input, LrFinderReport, LrFinderRow, LrFinderSettings, RunDir, Suggestion, write_json, write_rows,
};
use wick_train::{Recipe, find_lr_on};

use crate::cli::RunFolder;
use crate::compute::Asked;
use crate::context::{StageEnd, Work};
use crate::figures;
use crate::progress::counting;

pub fn run(args: &RunFolder, asked: Asked, json: bool) -> Result<StageEnd> {
    let run = args.open()?;
    let d = &run.dir;
    let inputs = vec![Input::path(d.recipe_toml()), Input::path(d.data())];
    run.stage("find-lr", inputs, args.when_current(), || {
        let data = run.data(args.data.as_deref())?;
        let bar = counting("range test", run.recipe.lr_finder.steps);
        let compute = asked.for_recipe(&run.recipe)?;
        let test = find_lr_on(&compute, &run.recipe, &data, &mut |done| bar.set_position(done as u64))?;
        bar.finish_and_clear();
        write(&test, &run.recipe, d)?;
        figures::lr_finder(d)?;
        tell(&test, &run.recipe, json)?;
        Ok(Work::Done(vec![d.lr_finder_csv(), d.lr_finder_json(), d.figure(Figure::LrFinder)]))
    })
}

type Rule = (&'static str, Result<wick_optim::Suggestion, OptimError>);

fn suggestions(test: &RangeTest) -> [Rule; 2] {
    [("steepest", test.steepest()), ("valley", test.valley())]
}

fn write(test: &RangeTest, recipe: &Recipe, run: &RunDir) -> Result<()> {
    let rows: Vec<LrFinderRow> = test
        .readings
        .iter()
        .map(|r| LrFinderRow { step: r.step as u64, lr: r.learning_rate, loss: r.loss, smoothed: r.smoothed })
        .collect();
    write_rows(&run.lr_finder_csv(), &rows)?;
    let suggestions: BTreeMap<String, Suggestion> = suggestions(test)
        .into_iter()
        .filter_map(|(rule, s)| {
            s.ok().map(|s| (rule.to_owned(), Suggestion { index: s.step, lr: s.learning_rate }))
        })
        .collect();
    let RangeTestOptions { start, end, steps, spacing, smoothing, diverge_threshold, skip_start, skip_end } =
        test.options;
    let mode = match spacing {
        Spacing::Exponential => "exponential",
        Spacing::Linear => "linear",
    };
    let settings = LrFinderSettings {
        start_lr: start,
        end_lr: end,
        steps,
        mode: mode.to_owned(),
        smoothing,
        diverge: diverge_threshold,
        skip_start,
        skip_end,
        batch_size: recipe.train.batch_size,
    };
    let stopped_early = test.ending != Ending::Completed;
    write_json(&run.lr_finder_json(), &LrFinderReport { suggestions, settings, stopped_early })?;
    Ok(())
}

fn tell(test: &RangeTest, recipe: &Recipe, json: bool) -> Result<()> {
    let why = match test.ending {
        Ending::Completed => "to the end",
        Ending::Diverged => "until the loss diverged",
        Ending::NotFinite => "until the loss was no number",
    };
    if json {
        let found: BTreeMap<_, _> =
            suggestions(test).into_iter().map(|(rule, s)| (rule, s.ok().map(|s| s.learning_rate))).collect();
        println!("{}", serde_json::json!({ "suggestions": found, "steps": test.readings.len() }));
        return Ok(());
    }
    println!("{} steps, {why}", test.readings.len());
    for (rule, suggestion) in suggestions(test) {
        match suggestion {
            Ok(s) => println!("  {rule:<9} {:.4e}", s.learning_rate),
            Err(error) => println!("  {rule:<9} none: {error}"),
        }
    }
    if !recipe.schedule.needs_range_test() {
        println!(
            "the recipe says which rates to train with; `--set schedule.max_lr=find` would take the steepest"
        );
    }
    Ok(())
}
