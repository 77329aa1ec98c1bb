//! Averaged weights and accumulated gradients, as a run applies them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::Device;
use wick_models::{Compiled, Network};
use wick_runs::{EpochRow, RunDir, StepRow, Timestamp, read_rows};
use wick_train::{Data, Recipe, Start, evaluate, train};

use crate::tiny::tiny;

/// Two epochs of three steps, the last of four images.
fn recipe(more: &str) -> Recipe {
    let settings = [
        "data.synthetic_train=20",
        "data.synthetic_test=8",
        "train.batch_size=8",
        "train.epochs=2",
        "model.architecture=speedrun",
    ];
    tiny(&settings, more)
}

fn run(recipe: &Recipe, root: &Path, name: &str) -> RunDir {
    let run = RunDir::create(root, name, 0, Timestamp::now()).unwrap();
    let data = Arc::new(Data::load(recipe, None).unwrap());
    train(recipe, &data, &run, Start::Fresh, &AtomicBool::new(false), &mut |_| {}).unwrap();
    run
}

fn losses(run: &RunDir) -> Vec<f64> {
    read_rows::<StepRow>(&run.steps()).unwrap().iter().map(|row| row.loss).collect()
}

/// Loss on the test split of the weights that a run has left, computed anew.
fn judged(recipe: &Recipe, weights: &Path) -> f64 {
    let data = Data::load(recipe, None).unwrap();
    let (network, _) = Network::load(weights, None, &Device::Cpu).unwrap();
    let mut compiled = Compiled::new(&network, recipe.compile_options()).unwrap();
    let (split, indices) = data.judging();
    let augmentation = recipe.augmentation().unwrap();
    let options = recipe.evaluate.options();
    evaluate(&mut compiled, &augmentation, split, &indices, options, &mut |_| {}).unwrap().loss
}

#[test]
fn the_average_judges_and_remains_and_training_goes_its_own_way() {
    let root = tempfile::tempdir().unwrap();
    let plain = run(&recipe(""), root.path(), "plain");
    let plain_rows: Vec<EpochRow> = read_rows(&plain.epochs()).unwrap();
    for average in ["kind = \"ema\"\ndecay = 0.6", "kind = \"swa\"\nstart = 1"] {
        let recipe = recipe(&format!("[average]\n{average}"));
        let averaged = run(&recipe, root.path(), "averaged");
        assert_eq!(losses(&averaged), losses(&plain), "{average}");
        let rows: Vec<EpochRow> = read_rows(&averaged.epochs()).unwrap();
        assert_ne!(rows[1].test_loss, plain_rows[1].test_loss, "{average}");
        assert_eq!(judged(&recipe, &averaged.last()), rows[1].test_loss, "{average}");
    }
    // After the first epoch the equal average is of one, the weights themselves.
    let swa = run(&recipe("[average]\nkind = \"swa\"\nstart = 1"), root.path(), "swa");
    let rows: Vec<EpochRow> = read_rows(&swa.epochs()).unwrap();
    assert_eq!(rows[0].test_loss, plain_rows[0].test_loss);
}

#[test]
fn slow_weights_lead_the_trained_ones_back() {
    let root = tempfile::tempdir().unwrap();
    let plain = losses(&run(&recipe(""), root.path(), "plain"));
    let ahead = recipe("[average]\nkind = \"lookahead\"\nevery = 2\nalpha = { constant = 0.3 }");
    let led = run(&ahead, root.path(), "led");
    let (led_losses, rows) = (losses(&led), read_rows::<EpochRow>(&led.epochs()).unwrap());
    assert_eq!(led_losses[..2], plain[..2]); // they meet after the second step
    assert_ne!(led_losses[2], plain[2]);
    assert_eq!(judged(&ahead, &led.last()), rows[1].test_loss);
    // The whole of the way each step is no change, but for rounding: slow + (fast - slow).
    let all = recipe("[average]\nkind = \"lookahead\"\nevery = 1\nalpha = { constant = 1.0 }");
    let all = losses(&run(&all, root.path(), "all"));
    assert!(all.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-3), "{all:?} {plain:?}");
}

#[test]
fn slow_weights_that_never_move_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDir::create(root.path(), "run", 0, Timestamp::now()).unwrap();
    let recipe = recipe("[average]\nkind = \"lookahead\"\nevery = 7"); // of six steps
    let data = Arc::new(Data::load(&recipe, None).unwrap());
    let ended = train(&recipe, &data, &run, Start::Fresh, &AtomicBool::new(false), &mut |_| {});
    let said = ended.unwrap_err().to_string();
    assert!(said.contains("average.every is 7") && said.contains("no more than the steps"), "{said}");
    assert!(!run.steps().exists());
}

/// LayerNorm looks at one image at a time, so that parts make no difference but that of rounding: some 1e-6 of the first loss, and what
/// steps on rounded gradients make of it.
#[test]
fn a_batch_in_parts_is_the_batch() {
    let root = tempfile::tempdir().unwrap();
    let ln = "[model]\narchitecture = \"resnet18_ln\"\n[train]\nepochs = 1\n";
    let whole = losses(&run(&recipe(ln), root.path(), "whole"));
    assert_eq!(whole.len(), 3);
    let mix = "mix = { cutmix = 1.0 }\n";
    let mixed = losses(&run(&recipe(&format!("{ln}{mix}")), root.path(), "mixed"));
    assert!((mixed[0] - whole[0]).abs() > 1e-3, "{mixed:?} {whole:?}");
    for (parts, train, whole) in [(2, "", &whole), (3, "", &whole), (4, "", &whole), (3, mix, &mixed)] {
        // Of 8 images 3, 3 and 2; of the last 4 no more than two parts.
        let recipe = recipe(&format!("{ln}{train}accumulate = {parts}\n"));
        let parted = losses(&run(&recipe, root.path(), "parts"));
        assert_eq!(parted.len(), 3, "steps are the optimiser's");
        assert!((parted[0] - whole[0]).abs() < 1e-5, "{parts}: {parted:?} {whole:?}");
        assert!(parted.iter().zip(whole).all(|(a, b)| (a - b).abs() < 1e-3), "{parts}: {parted:?} {whole:?}");
    }
}

#[test]
fn the_cpu_has_no_tf32() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDir::create(root.path(), "run", 0, Timestamp::now()).unwrap();
    let recipe = recipe("[train]\nprecision = \"tf32\"");
    let data = Arc::new(Data::load(&recipe, None).unwrap());
    let ended = train(&recipe, &data, &run, Start::Fresh, &AtomicBool::new(false), &mut |_| {});
    let said = ended.unwrap_err().to_string();
    assert!(said.contains("tf32") && said.contains("bf16"), "{said}");
}
