//! The CSV files of a run in step with its checkpoint.

use wick_runs::{
    EpochRow, LrFinderReport, NormRow, RunDir, StepRow, TimingRow, append_rows, cut_rows_after, read_json,
    read_rows,
};

use super::Start;
use crate::TrainError;

/// Cuts rows that lie past a checkpoint and returns how many there were. Norms are not counted: a run that was begun before they were
/// measured has none of its first epochs.
///
/// # Errors
/// Files that lack rows which the checkpoint counts.
pub(super) fn cut(run: &RunDir, epoch: u64, step: u64) -> Result<usize, TrainError> {
    let norms = cut_rows_after::<NormRow>(&run.norms(), epoch)?;
    let epochs = cut_rows_after::<EpochRow>(&run.epochs(), epoch)?;
    let timing = cut_rows_after::<TimingRow>(&run.timing(), epoch)?;
    let steps = cut_rows_after::<StepRow>(&run.steps(), step)?;
    for (path, kept, counted) in [
        (run.epochs(), epochs.kept, epoch),
        (run.timing(), timing.kept, epoch),
        (run.steps(), steps.kept, step),
    ] {
        if kept as u64 != counted {
            let message = format!("the checkpoint counts {counted} rows, but {kept} are there");
            return Err(TrainError::Checkpoint { path, message });
        }
    }
    Ok(epochs.cut + timing.cut + steps.cut + norms.cut)
}

/// Makes sure that nothing is lost by beginning anew, and returns how many rows were cut.
///
/// Only rows of steps without a finished epoch or a checkpoint, of a run that died in its first minutes, are worth
/// nothing to one that begins again.
pub(super) fn begin(run: &RunDir, start: Start) -> Result<usize, TrainError> {
    let path = run.path().to_owned();
    if start == Start::Fresh && (run.last_state().exists() || run.epochs().exists()) {
        return Err(TrainError::AlreadyTrained { path });
    }
    if run.epochs().exists() && !read_rows::<EpochRow>(&run.epochs())?.is_empty() {
        let message = "there are epochs but no checkpoint to go on from; prepare a new run".to_owned();
        return Err(TrainError::Checkpoint { path: run.last_state(), message });
    }
    cut(run, 0, 0)
}

/// Appends an epoch's rows. They are written before the checkpoint that counts them, and cut if that never comes.
pub(super) fn append_epoch(
    run: &RunDir,
    row: &EpochRow,
    timing: &TimingRow,
    norms: &[NormRow],
) -> Result<(), TrainError> {
    append_rows(&run.epochs(), &[*row])?;
    append_rows(&run.timing(), &[*timing])?;
    append_rows(&run.norms(), norms)?;
    Ok(())
}

/// Appends the steps' rows and empties the list.
pub(super) fn append_steps(run: &RunDir, rows: &mut Vec<StepRow>) -> Result<(), TrainError> {
    append_rows(&run.steps(), rows)?;
    rows.clear();
    Ok(())
}

/// The range test's suggestion by steepest gradient.
pub(super) fn suggestion(run: &RunDir) -> Result<f64, TrainError> {
    let path = run.lr_finder_json();
    if !path.exists() {
        return Err(TrainError::NoSuggestion { path });
    }
    let report: LrFinderReport = read_json(&path)?;
    report.suggestions.get("steepest").map(|s| s.lr).ok_or(TrainError::NoSuggestion { path })
}
