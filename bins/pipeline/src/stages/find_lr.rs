//! `find-lr`: the learning-rate range test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;
use wick_optim::{Ending, OptimError, RangeTest, RangeTestLoss, RangeTestOptions, Spacing};
use wick_runs::{
    Figure, Input, LrFinderLoss, LrFinderReport, LrFinderRow, LrFinderSettings, RunDir, Suggestion,
    write_json, write_rows,
};
use wick_train::{Data, Recipe, find_lr_on};

use crate::cli::RunFolder;
use crate::compute::Asked;
use crate::context::{StageEnd, Work};
use crate::figures;
use crate::interrupt::whole;
use crate::progress::counting;
use crate::terminal::{Column, Table, paragraph, paths, result_room, spark, tell};

/// Characters of a curve.
const CURVE: usize = 40;

pub fn run(args: &RunFolder, asked: Asked) -> Result<StageEnd> {
    let run = args.open()?;
    let d = &run.dir;
    let inputs = vec![Input::path(d.recipe_toml()), Input::path(d.data())];
    run.stage("find-lr", inputs, args.when_current(), || {
        let data = run.data(args.data.as_deref())?;
        let bar = counting("range test", run.recipe.lr_finder.steps, "steps");
        let compute = asked.for_recipe(&run.recipe)?;
        let test = find_lr_on(&compute, &run.recipe, &data, &mut |done| bar.at(done))?;
        drop(bar);
        let loss = loss(&test, &data);
        whole(|| write(&test, &run.recipe, loss, d))?;
        let (png, svg) = (d.figure(Figure::LrFinder), d.figure_svg(Figure::LrFinder));
        let written = vec![d.lr_finder_csv(), d.lr_finder_json(), png, svg];
        show(&test, &run.recipe, loss, &written)?;
        Ok(Work::Done(written))
    })
}

type Rule = (&'static str, Result<wick_optim::Suggestion, OptimError>);

fn suggestions(test: &RangeTest) -> [Rule; 3] {
    [("steepest", test.steepest()), ("valley", test.valley()), ("minimum/10", test.minimum_tenth())]
}

/// Of which images the losses are.
fn loss(test: &RangeTest, data: &Data) -> LrFinderLoss {
    let images = || data.judging_sample(test.options.sample).1.len();
    match test.options.loss {
        RangeTestLoss::Train => LrFinderLoss::Train,
        RangeTestLoss::Test if data.holdout_indices.is_empty() => LrFinderLoss::Test(images()),
        RangeTestLoss::Test => LrFinderLoss::HeldOut(images()),
    }
}

/// What is to be done where the rules disagree.
fn advice(test: &RangeTest, figure: &Path) -> Option<String> {
    let factor = test.disagreement()?;
    Some(format!(
        "the suggestions differ by a factor of {factor:.1}: look at the curve, {}, before you trust one (`max_lr = \"find\"` takes \
         the steepest)",
        figure.display()
    ))
}

fn write(test: &RangeTest, recipe: &Recipe, loss: LrFinderLoss, run: &RunDir) -> Result<()> {
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
    let RangeTestOptions {
        start,
        end,
        steps,
        spacing,
        loss: _,
        sample: _,
        smoothing,
        diverge_threshold,
        skip_start,
        skip_end,
    } = test.options;
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
        loss,
    };
    let stopped_early = test.ending != Ending::Completed;
    write_json(&run.lr_finder_json(), &LrFinderReport { suggestions, settings, stopped_early })?;
    figures::lr_finder(run)
}

fn show(test: &RangeTest, recipe: &Recipe, loss: LrFinderLoss, written: &[PathBuf]) -> Result<()> {
    let steps = test.readings.len();
    let advice = written.last().and_then(|figure| advice(test, figure));
    let value = || {
        let found: BTreeMap<_, _> =
            suggestions(test).into_iter().map(|(rule, s)| (rule, s.ok().map(|s| s.learning_rate))).collect();
        json!({ "suggestions": found, "steps": steps, "advice": advice, "written": paths(written), "loss": loss })
    };
    let text = || {
        let ended = match test.ending {
            Ending::Completed => "to the end",
            Ending::Diverged => "until the loss diverged",
            Ending::NotFinite => "until the loss was no number",
        };
        let losses: Vec<f64> = test.readings.iter().map(|r| r.smoothed.ln()).collect();
        let rates = test.readings.first().zip(test.readings.last());
        let (first, last) = rates.map_or((f64::NAN, f64::NAN), |(a, b)| (a.learning_rate, b.learning_rate));
        let curve = spark(&losses, CURVE);
        let mut text = format!(
            "{steps} steps, {ended}, by the {}\nlog loss  {curve}  at learning rates {first:.1e} to {last:.1e}\n\n",
            loss.name()
        );
        text += &table(test).text(result_room());
        if let Some(advice) = &advice {
            text += &format!("\n{}\n", paragraph(advice, result_room()));
        }
        if let LrFinderLoss::Test(_) = loss {
            let said = "a learning rate that is chosen so has seen test images; `--holdout 5000` at `prepare` sets other images aside to choose by";
            text += &format!("\n{}\n", paragraph(said, result_room()));
        }
        if !recipe.schedule.needs_range_test() {
            let said = "the recipe says which rates to train with; `--set schedule.max_lr=find` would take the steepest";
            text += &format!("\n{}\n", paragraph(said, result_room()));
        }
        text
    };
    tell(text, written, value)
}

fn table(test: &RangeTest) -> Table {
    let mut table = Table::new([
        Column::left("suggested by"),
        Column::right("learning rate"),
        Column::right("step"),
        Column::left(""),
    ]);
    for (rule, suggestion) in suggestions(test) {
        let [rate, step, why] = match suggestion {
            Ok(s) => [format!("{:.4e}", s.learning_rate), s.step.to_string(), String::new()],
            Err(error) => ["–".to_owned(), "–".to_owned(), error.to_string()],
        };
        table.row([rule.to_owned(), rate, step, why]);
    }
    table
}
