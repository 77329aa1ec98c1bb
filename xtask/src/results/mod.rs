//! `cargo xtask results`: what the recipes reached and how fast they were, told where it is asked for, from the runs and records that are kept.

mod readme;
mod runs;
mod tables;

use std::path::Path;

use anyhow::Context;
use wick_runs::{MeasuredRow, read_rows, read_text, write_atomic, write_rows};

/// Where the runs are kept, from the workspace's root: `<recipe>/seed<N>-<machine>/`.
const RESULTS: &str = "xtask/results";
/// Where the pipeline has what its recipes reached.
const TABLE: &str = "bins/pipeline/measured.csv";
/// Where everyone reads it.
const README: &str = "README.md";

/// Gather what is kept in xtask/results into the README's tables, and into the one that `pipeline recipes` tells
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in no workspace")?;
    let results = root.join(RESULTS);
    let reached = runs::reached(&results)?;
    print!("{}", tables::accuracies(&reached));
    let rows: Vec<MeasuredRow> = reached.into_iter().map(|reached| reached.row).collect();
    write_rows(&root.join(TABLE), &rows)?;
    let readme = root.join(README);
    let text = readme::filled(&read_text(&readme)?, |table| tables::named(&results, table))?;
    write_atomic(&readme, text.as_bytes())?;
    println!("wrote {TABLE} and the tables of {README}");
    Ok(())
}

/// What breaks the rule that tables are what is kept.
pub(crate) fn stale(root: &Path) -> anyhow::Result<Vec<String>> {
    let results = root.join(RESULTS);
    let told: Vec<MeasuredRow> = read_rows(&root.join(TABLE))?;
    let now: Vec<MeasuredRow> = runs::reached(&results)?.into_iter().map(|reached| reached.row).collect();
    let text = read_text(&root.join(README))?;
    let filled = readme::filled(&text, |table| tables::named(&results, table))?;
    let stale = [(TABLE, told != now), (README, text != filled)];
    let stale = stale.into_iter().filter(|(_, stale)| *stale);
    Ok(stale.map(|(file, _)| format!("{file} is not what {RESULTS} says: cargo xtask results")).collect())
}
