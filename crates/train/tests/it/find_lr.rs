//! The range test, by training loss and by test loss.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::Device;
use wick_models::{Compiled, Network, StepOptions};
use wick_optim::{Ending, RangeTest, RangeTestLoss};
use wick_runs::{RunDir, Timestamp};
use wick_train::{BatchPlan, Data, Recipe, Start, evaluate, find_lr, train, training_batches};

use crate::tiny::tiny;

/// Eight steps over epochs of three, and six of eight held-out images.
fn recipe(more: &[&str]) -> Recipe {
    let settings = [
        "data.synthetic_train=28",
        "data.synthetic_test=8",
        "data.holdout=8",
        "train.batch_size=8",
        "train.label_smoothing=0.1",
        "gradients.l1=1e-5",
        "evaluate.views=mirror",
        "evaluate.batch_size=4",
        "lr_finder={ start = 1e-3, end = 0.3, steps = 8, sample = 6, diverge_threshold = 1e9, skip_start = 0, skip_end = 0 }",
    ];
    tiny(&[&settings, more].concat(), "")
}

fn tested(recipe: &Recipe) -> RangeTest {
    find_lr(recipe, &Arc::new(Data::load(recipe, None).unwrap()), &mut |_| {}).unwrap()
}

fn losses(test: &RangeTest) -> Vec<f64> {
    test.readings.iter().map(|reading| reading.loss).collect()
}

/// The training losses of the same steps with an evaluation after each, and what those found.
fn stepped(recipe: &Recipe) -> (Vec<f64>, Vec<f64>) {
    let data = Arc::new(Data::load(recipe, None).unwrap());
    let network = Network::new(recipe.model.architecture, 10, recipe.seed, &Device::Cpu).unwrap();
    let mut optimizer = recipe.optimizer(&network.parameters).unwrap();
    let mut compiled = Compiled::new(&network, recipe.compile_options()).unwrap();
    let augmentation = recipe.augmentation().unwrap();
    let (split, indices) = data.judging_sample(recipe.lr_finder.sample);
    let epoch = |epoch: u64| training_batches(&data, &augmentation, BatchPlan::of(recipe, epoch << 32));
    let batches = (0..).flat_map(epoch);
    let step = |(learning_rate, batch): (f64, Result<wick_train::Batch, _>)| {
        let batch = batch.unwrap();
        optimizer.set_learning_rate(learning_rate).unwrap();
        let options = StepOptions { label_smoothing: 0.1, dropout_seed: batch.dropout_seed, mixed: None };
        let step = compiled.training_step(&batch.images, &batch.targets, options).unwrap();
        let loss = f64::from(step.loss);
        let loss = loss + optimizer.step(step.gradients).unwrap().penalty;
        let options = recipe.evaluate.options();
        let judged = evaluate(&mut compiled, &augmentation, split, &indices, options, &mut |_| {}).unwrap();
        (loss, judged.loss)
    };
    recipe.lr_finder.learning_rates().into_iter().zip(batches).map(step).unzip()
}

#[test]
fn test_losses_are_an_evaluations_and_change_no_step() {
    let (train, test) = stepped(&recipe(&[]));
    assert!(train.iter().zip(&test).all(|(train, test)| train != test));
    // No evaluation between these steps, where `stepped` has one after each.
    assert_eq!(losses(&tested(&recipe(&[]))), train);
    let by_test = tested(&recipe(&["lr_finder.loss=test"]));
    assert_eq!((by_test.options.loss, by_test.ending), (RangeTestLoss::Test, Ending::Completed));
    assert_eq!(losses(&by_test), test);
    // Of all held-out images, where there are fewer than asked for.
    let all = recipe(&["lr_finder.loss=test", "lr_finder.sample=9"]);
    assert_ne!(losses(&tested(&all)), test);
    assert_eq!(losses(&tested(&all)), stepped(&all).1);
}

#[test]
fn a_sample_is_fixed() {
    let data = |more: &[&str]| Data::load(&recipe(more), None).unwrap();
    let first = data(&[]);
    let (split, sample) = first.judging_sample(6);
    assert!(std::ptr::eq(split, &first.dataset.train) && sample.is_sorted());
    assert!(sample.iter().all(|index| first.holdout_indices.contains(index)));
    assert_eq!((sample.len(), &data(&["seed=9"]).judging_sample(6).1), (6, &sample));
    assert_eq!(first.judging_sample(8).1, first.holdout_indices);
    assert_eq!(first.judging_sample(512).1, first.holdout_indices);
    let whole = data(&["data.holdout=0"]);
    let (split, sample) = whole.judging_sample(3);
    assert!(std::ptr::eq(split, &whole.dataset.test));
    assert_ne!(sample, [0, 1, 2], "the first images need not be like the others");
}

#[test]
fn a_test_loss_that_is_no_number_ends_the_sweep() {
    let far = recipe(&["lr_finder.loss=test", "lr_finder.end=1e38", "lr_finder.diverge_threshold=1e300"]);
    let test = tested(&far);
    assert_eq!(test.ending, Ending::NotFinite);
    assert!(!test.readings.is_empty() && test.readings.len() < 8, "{}", test.readings.len());
}

#[test]
fn training_after_a_range_test_has_the_same_bits() {
    let recipe = recipe(&["lr_finder.loss=test", "train.epochs=1"]);
    let data = Arc::new(Data::load(&recipe, None).unwrap());
    let root = tempfile::tempdir().unwrap();
    let left = |name: &str| {
        let run = RunDir::create(root.path(), name, 0, Timestamp::now()).unwrap();
        train(&recipe, &data, &run, Start::Fresh, &AtomicBool::new(false), &mut |_| {}).unwrap();
        [run.epochs(), run.steps(), run.last(), run.last_optim()].map(|path| fs::read(path).unwrap())
    };
    let before = left("before");
    find_lr(&recipe, &data, &mut |_| {}).unwrap();
    assert!(left("after") == before);
}
