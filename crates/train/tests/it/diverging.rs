//! Runs whose learning rate is absurd: what they say, and what they leave.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::Device;
use wick_models::Network;
use wick_runs::{EpochRow, RunDir, StepRow, Timestamp, read_rows};
use wick_train::{Data, Event, Outcome, Recipe, Start, TrainError, checkpoint, train};

use crate::stepwise::stepwise;

/// Three whole batches an epoch.
fn recipe(more: &str) -> Recipe {
    stepwise(24, more)
}

/// With a learning rate of .01 at first and 1e30 from step number `from` on, counted from 1.
fn absurd_from(from: usize) -> Recipe {
    recipe(&format!(
        "[schedule]\nkind = \"sequential\"\nper = \"step\"\nmilestones = [{}]\n[[schedule.schedules]]\nkind = \"constant\"\n\
         [[schedule.schedules]]\nkind = \"cyclic\"\nbase_lr = 1e30\nmax_lr = 2e30\nstep_size_up = 1",
        from - 1
    ))
}

fn folder(root: &Path, name: &str) -> RunDir {
    RunDir::create(root, name, 0, Timestamp::now()).unwrap()
}

/// How a run ended that is stopped after so many steps, and what it was warned of.
fn go(
    recipe: &Recipe,
    run: &RunDir,
    start: Start,
    stop_after: Option<u32>,
) -> (Result<Outcome, TrainError>, Vec<String>) {
    let data = Arc::new(Data::load(recipe, None).unwrap());
    let (stop, steps, mut warnings) = (AtomicBool::new(false), Cell::new(0), Vec::new());
    let ended = train(recipe, &data, run, start, &stop, &mut |event| match event {
        Event::Step(_) => {
            steps.set(steps.get() + 1);
            stop.store(Some(steps.get()) == stop_after, Ordering::Relaxed);
        }
        Event::Warning(warning) => warnings.push(warning.to_string()),
        _ => {}
    });
    (ended, warnings)
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_leaves_what_was_saved() {
    let root = tempfile::tempdir().unwrap();
    let run = folder(root.path(), "run");
    let recipe = absurd_from(5);
    // Weights that step 5 has made absurd give step 6 its loss.
    let error = go(&recipe, &run, Start::Fresh, None).0.unwrap_err();
    let TrainError::Diverged { step: 6, epoch: 2, loss, .. } = error else { panic!("{error}") };
    assert!(!loss.is_finite());
    let said = error.to_string();
    for words in
        ["at step 6 (epoch 2)", "learning rate 2.000e30", "diverged", "prepare a new run with a lower"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }

    // All that was saved before is whole, and nothing of the step is in it.
    let left = || {
        let network = Network::new(recipe.model.architecture, 10, 0, &Device::Cpu).unwrap();
        let (state, _) = checkpoint::load(&run, &network).unwrap();
        let epochs: Vec<EpochRow> = read_rows(&run.epochs()).unwrap();
        let steps: Vec<StepRow> = read_rows(&run.steps()).unwrap();
        assert_eq!((state.step, state.epoch, epochs.len(), steps.len()), (5, 2, 1, 5));
        assert!(steps.iter().all(|row| row.loss.is_finite()), "{steps:?}");
        wick_models::Checkpoint::read(&run.best()).unwrap().load_into(&network.parameters).unwrap();
    };
    left();
    // Going on does the same again.
    assert_eq!(go(&recipe, &run, Start::Resume, None).0.unwrap_err().to_string(), said);
    left();
}

#[test]
fn outputs_that_are_no_numbers_end_the_run_at_the_end_of_the_epoch() {
    let root = tempfile::tempdir().unwrap();
    let run = folder(root.path(), "run");
    let error = go(&absurd_from(3), &run, Start::Fresh, None).0.unwrap_err();
    let TrainError::NoNumbers { step: 3, epoch: 1, .. } = error else { panic!("{error}") };
    let said = error.to_string();
    assert!(said.contains("after step 3 (the last of epoch 1)") && said.contains("diverged"), "{said}");
    assert!(!run.epochs().exists() && !run.best().exists(), "no row of an epoch without a judgement");
}

#[test]
fn what_was_told_is_not_told_again_by_a_run_that_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let recipe = recipe("[optim]\nlr = 30.0\n");
    let (alone, stopped) = (folder(root.path(), "alone"), folder(root.path(), "stopped"));
    let (ended, told) = go(&recipe, &alone, Start::Fresh, None);
    assert!(matches!(ended, Ok(Outcome::Finished { .. })), "{ended:?}");
    assert!(
        told[0].starts_with("the loss rose to ") && told[0].contains("no warm-up to 30: lower it"),
        "{told:?}"
    );
    let (mut again, mut start) = (Vec::new(), Start::Fresh);
    for stop in [Some(1), Some(1), Some(2), None] {
        again.extend(go(&recipe, &stopped, start, stop).1);
        start = Start::Resume;
    }
    assert_eq!(again, told);
}

#[test]
fn a_checkpoint_that_knows_no_warnings_is_gone_on_from() {
    let root = tempfile::tempdir().unwrap();
    let (alone, older) = (folder(root.path(), "alone"), folder(root.path(), "older"));
    let recipe = recipe("");
    go(&recipe, &alone, Start::Fresh, None).0.unwrap();
    go(&recipe, &older, Start::Fresh, Some(4)).0.unwrap();
    let text = std::fs::read_to_string(older.last_state()).unwrap();
    let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(state.as_object_mut().unwrap().remove("watched").is_some());
    std::fs::write(older.last_state(), state.to_string()).unwrap();
    go(&recipe, &older, Start::Resume, None).0.unwrap();
    for file in [RunDir::epochs, RunDir::steps, RunDir::last, RunDir::last_optim] {
        assert!(std::fs::read(file(&alone)).unwrap() == std::fs::read(file(&older)).unwrap());
    }
}
