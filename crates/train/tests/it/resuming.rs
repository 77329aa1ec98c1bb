//! A run that was interrupted leaves what a run left alone leaves, bit for bit.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wick_runs::{EpochRow, NormRow, RunDir, StepRow, Timestamp, read_rows};
use wick_train::{Data, Event, Layers, Outcome, Recipe, Start, TrainError, train};

use crate::stepwise::stepwise;

/// The last batch of an epoch is a smaller one.
fn recipe() -> Recipe {
    recipe_with("")
}

/// The same with more of its own.
fn recipe_with(more: &str) -> Recipe {
    stepwise(20, more)
}

fn folder(root: &Path, name: &str) -> RunDir {
    RunDir::create(root, name, 0, Timestamp::now()).unwrap()
}

fn go(run: &RunDir, start: Start, stop_after: Option<u32>) -> Result<Outcome, TrainError> {
    go_by(&recipe(), run, start, stop_after)
}

fn go_by(
    recipe: &Recipe,
    run: &RunDir,
    start: Start,
    stop_after: Option<u32>,
) -> Result<Outcome, TrainError> {
    let data = Arc::new(Data::load(recipe, None)?);
    let stop = AtomicBool::new(false);
    let steps = Cell::new(0);
    train(recipe, &data, run, start, &stop, &mut |event| {
        if let Event::Step(_) = event {
            steps.set(steps.get() + 1);
            if Some(steps.get()) == stop_after {
                stop.store(true, Ordering::Relaxed);
            }
        }
    })
}

/// What must be the same: everything but the time it took.
fn remains(run: &RunDir) -> Vec<Vec<u8>> {
    [run.epochs(), run.steps(), run.norms(), run.best(), run.last(), run.last_optim()]
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect()
}

/// Asserts that a run stopped after so many steps, and again and again, leaves what one left alone does; the latter's epochs.
fn the_same_with_stops(recipe: &Recipe, stops: &[u32]) -> Vec<EpochRow> {
    let root = tempfile::tempdir().unwrap();
    let (alone, stopped) = (folder(root.path(), "alone"), folder(root.path(), "stopped"));
    go_by(recipe, &alone, Start::Fresh, None).unwrap();
    let mut start = Start::Fresh;
    for stop in stops.iter().copied().map(Some).chain([None]) {
        go_by(recipe, &stopped, start, stop).unwrap();
        start = Start::Resume;
    }
    assert!(remains(&alone) == remains(&stopped), "an interrupted run should leave the same bytes");
    read_rows(&alone.epochs()).unwrap()
}

#[test]
fn interruptions_change_no_bit() {
    let root = tempfile::tempdir().unwrap();
    let alone = folder(root.path(), "alone");
    let Outcome::Finished { best: Some(best) } = go(&alone, Start::Fresh, None).unwrap() else {
        panic!("the run should have finished with a best epoch");
    };
    let rows: Vec<EpochRow> = read_rows(&alone.epochs()).unwrap();
    assert_eq!(rows.len(), 2);
    let highest = rows.iter().map(|r| r.test_accuracy).fold(0.0, f64::max);
    assert_eq!(best.test_accuracy, highest);

    // Stopped politely in each epoch, at an epoch's end, and gone on each time.
    let stopped = folder(root.path(), "stopped");
    let outcome = go(&stopped, Start::Fresh, Some(2)).unwrap();
    assert_eq!(outcome, Outcome::Interrupted { epoch: 1, step_in_epoch: 2 });
    assert_eq!(
        go(&stopped, Start::Resume, Some(1)).unwrap(),
        Outcome::Interrupted { epoch: 2, step_in_epoch: 0 }
    );
    assert_eq!(
        go(&stopped, Start::Resume, Some(1)).unwrap(),
        Outcome::Interrupted { epoch: 2, step_in_epoch: 1 }
    );
    assert!(matches!(go(&stopped, Start::Resume, None).unwrap(), Outcome::Finished { .. }));
    assert!(remains(&alone) == remains(&stopped), "an interrupted run should leave the same bytes");

    // Going on with a finished run changes nothing.
    assert!(matches!(go(&stopped, Start::Resume, None).unwrap(), Outcome::Finished { .. }));
    assert!(remains(&alone) == remains(&stopped));
    // Beginning anew would lose it.
    assert!(matches!(go(&stopped, Start::Fresh, None), Err(TrainError::AlreadyTrained { .. })));
}

#[test]
fn a_plateau_remembers_across_interruptions() {
    // The first epoch is always the best; after each of the others the learning rate is halved.
    let recipe = recipe_with(
        "[train]\nepochs = 4\n[schedule]\nkind = \"plateau\"\nfactor = 0.5\npatience = 0\nthreshold = 1e9\nthreshold_mode = \"abs\"",
    );
    let rows = the_same_with_stops(&recipe, &[7, 2]); // in epoch 3, at its end
    let lr = recipe.optim.learning_rate();
    assert_eq!(rows.iter().map(|row| row.lr).collect::<Vec<_>>(), [lr, lr, lr / 2.0, lr / 4.0]);
}

#[test]
fn what_a_cycle_leaves_of_the_momentum_is_not_kept() {
    // After five steps of a cycle, whose last momentum is .8, the recipe's own .9 counts again.
    let recipe = recipe_with(
        "[schedule]\nkind = \"sequential\"\nper = \"step\"\nmilestones = [5]\n[[schedule.schedules]]\nkind = \"cyclic\"\nbase_lr = 0.01\nmax_lr = 0.02\nstep_size_up = 4\nstep_size_down = 1\n[[schedule.schedules]]\nkind = \"constant\"",
    );
    let rows = the_same_with_stops(&recipe, &[5]);
    let momenta: Vec<f64> = rows.iter().map(|row| row.momentum).collect();
    assert!((momenta[0] - 0.85).abs() < 1e-12 && momenta[1] == 0.9, "{momenta:?}");
}

fn line(total: &str) -> Recipe {
    let line = "kind = \"linear\"\nstart_factor = 1.0\nend_factor = 0.0\nper = \"step\"";
    recipe_with(&format!("[schedule]\n{line}\ntotal = {total}"))
}

#[test]
fn a_schedule_as_long_as_the_run_is_that_of_its_number() {
    let root = tempfile::tempdir().unwrap();
    let (whole, told) = (folder(root.path(), "whole"), folder(root.path(), "told"));
    go_by(&line("\"run\""), &whole, Start::Fresh, None).unwrap();
    go_by(&line("6"), &told, Start::Fresh, None).unwrap();
    assert!(remains(&whole) == remains(&told));
}

#[test]
fn a_schedule_too_long_for_its_run_does_not_begin_but_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let run = folder(root.path(), "run");
    let (fits, longer) = (line("6"), line("8"));
    let said = go_by(&longer, &run, Start::Fresh, None).unwrap_err().to_string();
    assert!(
        said.contains("schedule.total = 8") && said.contains("the run of 2 epochs of 3 steps, 6 in all"),
        "{said}"
    );
    assert!(!run.steps().exists());

    // Begun before it would have been refused.
    go_by(&fits, &run, Start::Fresh, Some(2)).unwrap();
    let text = fs::read_to_string(run.last_state()).unwrap();
    fs::write(run.last_state(), text.replace(&fits.identity(), &longer.identity())).unwrap();
    go_by(&longer, &run, Start::Resume, None).unwrap();
    let last = read_rows::<StepRow>(&run.steps()).unwrap().pop().unwrap();
    let lr = longer.optim.learning_rate() * (1.0 - 5.0 / 8.0);
    assert!((last.lr - lr).abs() < 1e-15 && last.step == 6, "{last:?}");
}

#[test]
fn a_penalty_is_counted_across_interruptions() {
    let recipe = recipe_with(
        "[gradients]\nl1 = 1e-4\nclip = { norm = 1.0 }\n[[groups]]\nof = \"vectors\"\nlr = 2.0\nweight_decay = 0.0",
    );
    assert_ne!(recipe.identity(), recipe_with("").identity());
    the_same_with_stops(&recipe, &[2]);
}

#[test]
fn averages_of_every_kind_go_on_as_they_were() {
    for average in [
        "kind = \"lookahead\"\nevery = 2\nalpha = { decaying = { base = 0.95, power = 3.0 } }",
        "kind = \"ema\"\ndecay = 0.7",
        "kind = \"swa\"\nstart = 1",
        "kind = \"swa\"\nstart = 2", // not begun at the first stop
    ] {
        let recipe = recipe_with(&format!("[average]\n{average}"));
        assert_ne!(recipe.identity(), recipe_with("").identity());
        the_same_with_stops(&recipe, &[2, 2]); // in either epoch
    }
}

#[test]
fn what_is_frozen_stays_so_across_interruptions() {
    let recipe = recipe_with("[[train.freeze]]\nnamed = \".bias\"\nafter_epochs = 1");
    the_same_with_stops(&recipe, &[1, 2, 1]); // before, at the epoch's end, and after
}

#[test]
fn mixed_images_are_a_function_of_the_step() {
    for mix in ["{ mixup = 1.0 }", "{ cutmix = 1.0 }"] {
        the_same_with_stops(&recipe_with(&format!("[train]\nmix = {mix}")), &[2, 2]); // in either epoch
    }
}

#[test]
fn muon_and_accumulated_gradients_go_on_as_they_were() {
    let recipe = recipe_with(
        "[train]\naccumulate = 3\n[optim]\nkind = \"muon\"\nlr = 0.05\nsteps = 3\nfilters = \"rescaled\"\nelsewhere = { momentum = { nesterov = 0.85 } }",
    );
    the_same_with_stops(&recipe, &[2]);
}

#[test]
fn a_plateau_that_forgot_its_epochs_is_told() {
    let recipe = recipe_with("[schedule]\nkind = \"plateau\"");
    let root = tempfile::tempdir().unwrap();
    let run = folder(root.path(), "run");
    go_by(&recipe, &run, Start::Fresh, Some(4)).unwrap(); // in epoch 2
    let text = fs::read_to_string(run.last_state()).unwrap();
    let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
    state["judged"] = serde_json::json!([]);
    fs::write(run.last_state(), state.to_string()).unwrap();
    let said = go_by(&recipe, &run, Start::Resume, None).unwrap_err().to_string();
    assert!(said.contains("0 epochs ended, 1 are done"), "{said}");
}

#[test]
fn a_checkpoint_survives_a_death_at_any_moment() {
    let root = tempfile::tempdir().unwrap();
    let alone = folder(root.path(), "alone");
    go(&alone, Start::Fresh, None).unwrap();
    let run = folder(root.path(), "run");
    go(&run, Start::Fresh, Some(2)).unwrap();
    let next = |path: &Path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".next");
        std::path::PathBuf::from(name)
    };

    // Died before the state was renamed: what lies beside is of a checkpoint that never came to be.
    fs::write(next(&run.last()), b"half a file").unwrap();
    go(&run, Start::Resume, Some(1)).unwrap();
    assert!(!next(&run.last()).exists());

    // Died after it: the large files still lie beside, and older ones are in their places.
    fs::rename(run.last(), next(&run.last())).unwrap();
    fs::write(run.last(), b"older weights").unwrap();
    fs::rename(run.last_optim(), next(&run.last_optim())).unwrap();
    // Rows of steps that the checkpoint does not know, the last one broken off.
    let mut steps = fs::read(run.steps()).unwrap();
    steps.extend(b"99,2,0.01,1.0\n100,2,0.0");
    fs::write(run.steps(), steps).unwrap();
    go(&run, Start::Resume, None).unwrap();
    assert!(remains(&alone) == remains(&run));

    // Replaced by something else: refused, and named.
    fs::write(run.last(), b"something else").unwrap();
    let said = go(&run, Start::Resume, None).unwrap_err().to_string();
    assert!(said.contains("last.safetensors") && said.contains("SHA-256"), "{said}");
}

#[test]
fn another_recipe_is_refused_but_not_for_its_looks() {
    let root = tempfile::tempdir().unwrap();
    let run = folder(root.path(), "run");
    go(&run, Start::Fresh, Some(1)).unwrap();
    let data = Arc::new(Data::load(&recipe(), None).unwrap());
    let resume = |assignment: &str| {
        let layers = Layers::default().over("text", &recipe().to_string()).unwrap();
        let changed = layers.set(assignment).unwrap().resolve().unwrap();
        let stop = AtomicBool::new(true);
        train(&changed, &data, &run, Start::Resume, &stop, &mut |_| {})
    };
    for assignment in ["train.epochs=3", "optim.lr=0.5", "seed=1", "train.batch_size=4"] {
        assert!(matches!(resume(assignment), Err(TrainError::OtherRecipe { .. })), "{assignment}");
    }
    assert!(matches!(resume("train.checkpoint_minutes=2.0"), Ok(Outcome::Interrupted { .. })));
}

#[test]
fn norms_are_those_of_the_weights_that_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let run = folder(root.path(), "run");
    go(&run, Start::Fresh, None).unwrap();
    let rows: Vec<NormRow> = read_rows(&run.norms()).unwrap();
    let weights = candle_core::safetensors::load(run.last(), &candle_core::Device::Cpu).unwrap();
    let last: Vec<_> = rows.iter().filter(|row| row.epoch == 2).collect();
    assert_eq!((rows.len(), last.len()), (2 * 14, 14), "each parameter in each epoch");
    for row in last {
        let squares = weights[&row.parameter].sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        // The reference sums in f32.
        let (expected, got) = (f64::from(squares).sqrt(), row.weight_norm);
        assert!((got - expected).abs() <= 1e-4 * expected, "{}: {got} instead of {expected}", row.parameter);
        assert_eq!(row.step, 6);
        assert!(row.gradient_norm.is_some_and(|norm| norm.is_finite() && norm > 0.0), "{row:?}");
    }

    // A run that was begun before there were norms goes on, and has those of what it does from then on.
    let older = folder(root.path(), "older");
    go(&older, Start::Fresh, Some(4)).unwrap(); // in epoch 2
    fs::remove_file(older.norms()).unwrap();
    go(&older, Start::Resume, None).unwrap();
    go(&older, Start::Resume, None).unwrap();
    assert_eq!(read_rows::<NormRow>(&older.norms()).unwrap(), rows[14..]);
}

#[test]
fn lost_rows_and_lost_checkpoints_are_told() {
    let root = tempfile::tempdir().unwrap();
    let run = folder(root.path(), "run");
    go(&run, Start::Fresh, Some(4)).unwrap();
    let epochs = fs::read(run.epochs()).unwrap();
    fs::remove_file(run.epochs()).unwrap();
    let said = go(&run, Start::Resume, None).unwrap_err().to_string();
    assert!(said.contains("counts 1 rows, but 0 are there"), "{said}");
    fs::write(run.epochs(), &epochs).unwrap();
    fs::remove_file(run.last_state()).unwrap();
    let said = go(&run, Start::Resume, None).unwrap_err().to_string();
    assert!(said.contains("no checkpoint to go on from"), "{said}");
    assert_eq!(fs::read(run.epochs()).unwrap(), epochs, "nothing is cut where nothing can go on");
}

#[test]
fn other_data_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let run = folder(root.path(), "run");
    go(&run, Start::Fresh, Some(1)).unwrap();
    let other = Layers::default().over("text", &recipe().to_string()).unwrap();
    let other = other.set("data.synthetic_train=24").unwrap().resolve().unwrap();
    let data = Arc::new(Data::load(&other, None).unwrap());
    let ended = train(&other, &data, &run, Start::Resume, &AtomicBool::new(false), &mut |_| {});
    assert!(matches!(ended, Err(TrainError::OtherData { .. })), "{ended:?}");
}
