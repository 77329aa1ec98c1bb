//! Warnings of real runs: the losses of every step that were kept, as a watch saw them.

use std::path::{Path, PathBuf};

use wick_optim::{Clip, Length};
use wick_runs::{EpochRow, StepRow, read_rows};

use super::*;
use crate::{Layers, Recipe};

fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/results")
}

/// A kept run: its recipe and the watch over it, of 50,000 images.
fn kept(run: &str) -> (Recipe, Watch) {
    let text = std::fs::read_to_string(results().join(run).join("recipe.toml")).unwrap();
    let recipe = Layers::default().over(run, &text).unwrap().resolve().unwrap();
    let steps_per_epoch = recipe.steps_per_epoch(50_000);
    let length = Length { epochs: recipe.train.epochs, steps_per_epoch };
    let pace = Pace::of(&recipe, &recipe.schedule(length, None).unwrap(), length);
    (recipe, Watch::new(10, pace, Memory::default()))
}

fn steps(run: &str) -> Vec<StepRow> {
    read_rows(&results().join(run).join("steps.csv")).unwrap()
}

/// What 128 images are taken for where 11 % are classified rightly.
fn guessed() -> Seen<'static> {
    const PREDICTED: [usize; 128] = {
        let mut predicted = [0; 128];
        let mut image = 0;
        while image < 128 {
            predicted[image] = image % 10;
            image += 1;
        }
        predicted
    };
    Seen {
        step: 1,
        loss: 0.0,
        penalty: 0.0,
        gradient_norm: None,
        learning_rate: 0.0,
        predicted: &PREDICTED,
        correct: 14,
    }
}

#[test]
fn one_cycle_up_to_one_is_told_to_be_too_high_in_its_first_steps_and_dead_in_its_first_epoch() {
    let run = "s8-onecycle-published/warned-seed0-epyc-zen3-2core";
    let (recipe, mut watch) = kept(run);
    let mut warnings = Vec::new();
    for row in steps(run).iter().filter(|row| row.epoch == 1) {
        warnings.extend(watch.step(Seen {
            step: row.step,
            loss: row.loss,
            learning_rate: row.lr,
            ..guessed()
        }));
    }
    let [Warning::LossLeaps { leap, pace, .. }, Warning::NothingLearnt { span, loss, cause, .. }] =
        &warnings[..]
    else {
        panic!("{warnings:?}")
    };
    assert_eq!((leap.first, leap.last), (2, 4));
    // (5.4679 + 5.4256 + 3.9013) / 3
    assert!((leap.loss - 4.9316).abs() < 1e-4, "{leap:?}");
    assert_eq!((pace.clip, recipe.gradients.clip), (Clip::Value(0.1), Clip::Value(0.1)));
    // The cycle begins at 1/25 of its peak, which it reaches to the rounding of 7820 steps.
    assert!((pace.start - 0.04).abs() < 1e-12 && (pace.peak - 1.0).abs() < 1e-6, "{pace:?}");
    assert_eq!((*span, *cause), (Span::Steps(101, 200), Cause::TooHigh { leap: *leap, pace: *pace }));
    assert!((loss - 2.3295).abs() < 1e-4, "{loss}");
    let text = warnings[0].to_string();
    assert!(text.starts_with("the loss rose to 4.93 in steps 2 to 4, at a learning rate of 0.04"), "{text}");
    assert!(
        text.contains("too high") && text.contains("goes up to 1: lower its peak, and clip by norm"),
        "{text}"
    );
    let text = warnings[1].to_string();
    assert!(text.contains("steps 101 to 200") && text.contains("most likely far too high"), "{text}");

    let [epoch] = read_rows::<EpochRow>(&results().join(run).join("epochs.csv")).unwrap()[..] else {
        panic!()
    };
    assert_eq!(watch.epoch(seen(&epoch)), []); // told in the epoch
    // Where the steps were not watched, of a run of an older version that goes on.
    let (_, mut watch) = kept(run);
    let warnings = watch.epoch(seen(&epoch));
    assert!(matches!(warnings[..], [Warning::NothingLearnt { span: Span::Epoch(1), .. }]), "{warnings:?}");
}

#[test]
fn an_l1_penalty_by_mistake_is_told_and_no_learning_rate_blamed() {
    let run = "s8-layernorm-published/warned-seed0-epyc-zen3-2core";
    let (recipe, mut watch) = kept(run);
    assert_eq!(recipe.gradients.l1, 0.01);
    let mut warnings = Vec::new();
    for row in steps(run) {
        // The rows hold the sum; its train.txt has 54.93 of 57.23, so that 2.30 is left.
        let (loss, penalty) = (2.30, row.loss - 2.30);
        warnings.extend(watch.step(Seen {
            step: row.step,
            loss,
            penalty,
            learning_rate: row.lr,
            ..guessed()
        }));
    }
    let epoch = SeenEpoch { epoch: 1, loss: 2.30, penalty: 55.0, accuracy: 0.1, learning_rate: 1e-3 };
    warnings.extend(watch.epoch(epoch));
    let text: Vec<String> = warnings.iter().map(Warning::to_string).collect();
    assert_eq!(
        text,
        [
            "the L1 penalty is 54.93 of a loss of 57.23: most of what is minimised is the size of the weights. Lower gradients.l1."
        ]
    );
}

#[test]
fn layer_norms_unclipped_are_told_within_four_steps_and_clipped_left_alone() {
    let text = std::fs::read_to_string(results().join("tuning/s8-layernorm-first-steps.csv")).unwrap();
    let columns = [(0.01, Clip::None), (0.02, Clip::None), (0.02, Clip::Norm(1.0)), (0.05, Clip::Norm(1.0))];
    let mut told = Vec::new();
    for (column, (rate, clip)) in columns.into_iter().enumerate() {
        let mut watch = Watch::new(10, Pace { start: rate, peak: rate, clip }, Memory::default());
        for line in text.lines().skip(1) {
            let mut cells = line.split(',');
            let step = cells.next().unwrap().parse().unwrap();
            let Ok(loss) = cells.nth(column).unwrap().parse() else { break };
            for warning in watch.step(Seen { step, loss, learning_rate: rate, ..guessed() }) {
                told.push((column, step, warning.to_string()));
            }
        }
    }
    let [(0, 4, first), (1, 3, second)] = &told[..] else { panic!("{told:?}") };
    for (text, rate) in [(first, "0.01"), (second, "0.02")] {
        let remedy = format!(
            "There is no warm-up to {rate}: lower it, or begin with less, or clip the gradients by norm"
        );
        assert!(text.contains(&remedy), "{text}");
    }
}

#[test]
fn epochs_of_runs_that_learnt_are_left_alone() {
    let mut runs = 0;
    for recipe in std::fs::read_dir(results()).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        if recipe.file_name() == "s8-onecycle-published" {
            continue;
        }
        for run in std::fs::read_dir(recipe.path()).unwrap().flatten() {
            let path = run.path().join("epochs.csv");
            let rows = if path.exists() { read_rows::<EpochRow>(&path).unwrap() } else { continue };
            let pace = Pace { start: 0.1, peak: 0.1, clip: Clip::None };
            let mut watch = Watch::new(10, pace, Memory::default());
            for row in &rows {
                assert_eq!(watch.epoch(seen(row)), [], "{}", path.display());
            }
            runs += 1;
        }
    }
    assert!(runs >= 15, "{runs}");
}

fn seen(row: &EpochRow) -> SeenEpoch {
    SeenEpoch {
        epoch: row.epoch,
        loss: row.train_loss,
        penalty: 0.0,
        accuracy: row.train_accuracy,
        learning_rate: row.lr,
    }
}
