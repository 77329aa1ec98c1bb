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
        tell(&test, &run.recipe, d, json);
        Ok(Work::Done(vec![d.lr_finder_csv(), d.lr_finder_json(), d.figure(Figure::LrFinder)]))
    })
}

type Rule = (&'static str, Result<wick_optim::Suggestion, OptimError>);

fn suggestions(test: &RangeTest) -> [Rule; 3] {
    [("steepest", test.steepest()), ("valley", test.valley()), ("minimum/10", test.minimum_tenth())]
}

/// What is to be done where the rules disagree.
fn advice(test: &RangeTest, run: &RunDir) -> Option<String> {
    let factor = test.disagreement()?;
    let figure = run.figure(Figure::LrFinder);
    Some(format!(
        "the suggestions differ by a factor of {factor:.1}: look at the curve, {}, before you trust one (`max_lr = \"find\"` takes \
         the steepest)",
        figure.display()
    ))
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

fn tell(test: &RangeTest, recipe: &Recipe, run: &RunDir, json: bool) {
    let why = match test.ending {
        Ending::Completed => "to the end",
        Ending::Diverged => "until the loss diverged",
        Ending::NotFinite => "until the loss was no number",
    };
    if json {
        let found: BTreeMap<_, _> =
            suggestions(test).into_iter().map(|(rule, s)| (rule, s.ok().map(|s| s.learning_rate))).collect();
        let (steps, advice) = (test.readings.len(), advice(test, run));
        println!("{}", serde_json::json!({ "suggestions": found, "steps": steps, "advice": advice }));
        return;
    }
    println!("{} steps, {why}", test.readings.len());
    for (rule, suggestion) in suggestions(test) {
        match suggestion {
            Ok(s) => println!("  {rule:<10} {:.4e}", s.learning_rate),
            Err(error) => println!("  {rule:<10} none: {error}"),
        }
    }
    if let Some(advice) = advice(test, run) {
        println!("{advice}");
    }
    if !recipe.schedule.needs_range_test() {
        println!(
            "the recipe says which rates to train with; `--set schedule.max_lr=find` would take the steepest"
        );
    }
}
