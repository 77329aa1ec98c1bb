//! `train`.

use anyhow::Result;
use wick_runs::{EpochRow, Input, Manifest, TimingRow, read_rows};
use wick_train::{Event, Outcome, Start, TrainError, train_on};

use crate::cli::TrainArgs;
use crate::compute::Asked;
use crate::context::{StageEnd, Work, needs, stop_flag};
use crate::progress::TrainingBar;

pub fn run(args: &TrainArgs, asked: Asked, json: bool) -> Result<StageEnd> {
    let run = args.run.open()?;
    let mut inputs = vec![Input::path(run.dir.recipe_toml()), Input::path(run.dir.data())];
    if run.recipe.schedule.needs_range_test() {
        needs(&run.dir.lr_finder_json(), "find-lr")?;
        inputs.push(Input::path(run.dir.lr_finder_json()));
    }
    if !args.resume && !args.run.skip_current && run.dir.last_state().exists() {
        // Refused before the stage begins, so that the run's status stays what it is.
        return Err(TrainError::AlreadyTrained { path: run.dir.path().to_owned() }.into());
    }
    let end = run.stage("train", inputs, args.run.when_current(), || {
        let data = run.data(args.run.data.as_deref())?;
        let start = if args.resume { Start::Resume } else { Start::Fresh };
        let stop = stop_flag()?;
        let mut bar = TrainingBar::new();
        let compute = asked.for_recipe(&run.recipe)?;
        Manifest::update(&run.dir, |manifest| compute.name().clone_into(&mut manifest.device))?;
        let observer = &mut |event: Event<'_>| bar.on(&event);
        let outcome = train_on(&compute, &run.recipe, &data, &run.dir, start, &stop, observer);
        bar.finish();
        match outcome? {
            Outcome::Interrupted { epoch, step_in_epoch } => {
                eprintln!(
                    "stopped in epoch {epoch} after step {step_in_epoch}; go on with: {} train --run {} --resume",
                    std::env::args_os().next().unwrap_or_default().to_string_lossy(),
                    run.dir.path().display()
                );
                Ok(Work::Interrupted)
            }
            Outcome::Finished { .. } => {
                let d = &run.dir;
                Ok(Work::Done(vec![
                    d.epochs(),
                    d.timing(),
                    d.steps(),
                    d.best(),
                    d.last(),
                    d.last_optim(),
                    d.last_state(),
                ]))
            }
        }
    })?;
    if end != StageEnd::Interrupted {
        tell(&read_rows(&run.dir.epochs())?, &read_rows(&run.dir.timing())?, json)?;
    }
    Ok(end)
}

fn tell(epochs: &[EpochRow], timing: &[TimingRow], json: bool) -> Result<()> {
    let Some(last) = epochs.last() else { return Ok(()) };
    let best = epochs.iter().fold(last, |b, e| if e.test_accuracy > b.test_accuracy { e } else { b });
    if json {
        println!("{}", serde_json::json!({ "last": last, "best_by_test": best }));
        return Ok(());
    }
    println!("epoch  train loss  train acc  test loss  test acc  images/s");
    for (e, t) in epochs.iter().zip(timing) {
        println!(
            "{:5}  {:10.4}  {:7.2} %  {:9.4}  {:6.2} %  {:8.0}",
            e.epoch,
            e.train_loss,
            100.0 * e.train_accuracy,
            e.test_loss,
            100.0 * e.test_accuracy,
            t.images_per_second
        );
    }
    println!(
        "last epoch: {:.2} % test accuracy; best by test: {:.2} % in epoch {}",
        100.0 * last.test_accuracy,
        100.0 * best.test_accuracy,
        best.epoch
    );
    Ok(())
}
