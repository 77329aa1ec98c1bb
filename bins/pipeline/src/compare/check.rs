//! Whether the figures of several runs may stand beside each other.

use anyhow::{Result, ensure};
use wick_runs::Judge;

use super::judged::Judged;
use crate::terminal::count;

/// Refuses runs that were judged by different images, and says what else differs beside the recipes' own settings.
pub fn comparable(runs: &[Judged]) -> Result<Vec<String>> {
    let Some(first) = runs.first() else { anyhow::bail!("name at least one run") };
    for run in runs {
        ensure!(
            run.dataset.sha256 == first.dataset.sha256,
            "{} was made with other data ({}, SHA-256 {}) than {} ({}, SHA-256 {}); their accuracies cannot be compared: \
             name runs of the same data",
            run.path.display(),
            run.dataset.name,
            run.dataset.sha256,
            first.path.display(),
            first.dataset.name,
            first.dataset.sha256
        );
        ensure!(
            run.recipe.data.holdout == first.recipe.data.holdout,
            "{} was judged by {}, {} by {}; their accuracies cannot be compared: name runs with the same --holdout",
            run.path.display(),
            judge(run),
            first.path.display(),
            judge(first)
        );
    }
    let values = |what: fn(&Judged) -> usize| {
        let mut values: Vec<usize> = runs.iter().map(what).collect();
        values.sort_unstable();
        values.dedup();
        values
    };
    let several = |values: Vec<usize>, what: &str| {
        let list: Vec<String> = values.iter().map(usize::to_string).collect();
        let said =
            format!("the runs differ in {what} ({}): a difference may come from that", list.join(", "));
        (list.len() > 1).then_some(said)
    };
    let epochs = several(values(|run| run.recipe.train.epochs), "their number of epochs");
    let images = several(values(|run| run.dataset.train), "their number of training images");
    Ok(epochs.into_iter().chain(images).collect())
}

fn judge(run: &Judged) -> String {
    match run.judge() {
        Judge::Test => "the test split".to_owned(),
        Judge::Holdout => format!("{} held-out images", count(run.recipe.data.holdout)),
    }
}
