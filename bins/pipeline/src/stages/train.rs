//! `train`.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use wick_runs::{EpochRow, Input, Manifest, RunDir, TimingRow, read_rows};
use wick_tensorboard::SessionStatus;
use wick_train::{Event, Outcome, Start, TrainError, train_on};

use crate::cli::TrainArgs;
use crate::compute::Asked;
use crate::context::{Run, StageEnd, Work, needs};
use crate::interrupt::{resumed, stop_flag};
use crate::progress::TrainingBar;
use crate::tables::training::{self, best};
use crate::tensorboard::TensorBoard;
use crate::terminal::{Voice, error_line, paths, result_room, tell, voice, warn};

pub fn run(args: &TrainArgs, asked: Asked) -> Result<StageEnd> {
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
        let stop = stop_flag();
        let mut bar = TrainingBar::new();
        let compute = asked.for_recipe(&run.recipe)?;
        Manifest::update(&run.dir, |manifest| compute.name().clone_into(&mut manifest.device))?;
        let mut board = TensorBoard::new(&run.dir, &run.recipe, data.train_indices.len());
        let observer = &mut |event: Event<'_>| {
            bar.on(&event);
            board.on(&event);
        };
        let outcome = train_on(&compute, &run.recipe, &data, &run.dir, start, &stop, observer);
        drop(bar);
        let status = match &outcome {
            Ok(Outcome::Finished { .. }) => Some(SessionStatus::Success),
            Ok(Outcome::Interrupted { .. }) => None,
            Err(_) => Some(SessionStatus::Failure),
        };
        if let Some(error) = board.finish(status) {
            warn(&format!("TensorBoard will not show all of this run, which is whole otherwise: {error:#}"));
        }
        match outcome? {
            Outcome::Interrupted { epoch, step_in_epoch } => {
                error_line(&format!(
                    "stopped in epoch {epoch} after step {step_in_epoch}, everything saved; go on with: {}",
                    resumed()
                ));
                Ok(Work::Interrupted)
            }
            Outcome::Finished { .. } => Ok(Work::Done(files(&run.dir))),
        }
    })?;
    if end != StageEnd::Interrupted {
        let (epochs, timing) = (read_rows(&run.dir.epochs())?, read_rows(&run.dir.timing())?);
        show(&epochs, &timing, &run)?;
    }
    Ok(end)
}

/// What training leaves, without `tb/`: no stage reads it, and its bytes hold the time.
fn files(d: &RunDir) -> Vec<PathBuf> {
    vec![d.epochs(), d.timing(), d.steps(), d.norms(), d.best(), d.last(), d.last_optim(), d.last_state()]
}

fn show(epochs: &[EpochRow], timing: &[TimingRow], run: &Run) -> Result<()> {
    let split = if run.recipe.data.holdout > 0 { "held-out" } else { "test" };
    let best = best(epochs);
    let value = || json!({ "last": epochs.last(), "best_by_test": best, "written": paths(&files(&run.dir)) });
    let named = [run.dir.epochs(), run.dir.last()];
    let written = if voice() == Voice::Quiet { files(&run.dir) } else { named.to_vec() };
    tell(|| training::text(epochs, timing, split, result_room()), &written, value)
}
