//! `cargo xtask results`: the tables of what the recipes reached and how fast they were, from the runs and records that are kept.

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
/// The tables that may not be missing there.
const TABLES: [&str; 3] = ["accuracies", "rates of epyc-zen3-2core", "rates of epyc-2core"];

/// Rewrite the README's tables, and the one that `pipeline recipes` shows, from what is kept in xtask/results
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Both tables as what is kept has them.
struct Told {
    rows: Vec<MeasuredRow>,
    readme: String,
    /// The README as it is.
    readme_was: String,
}

impl Told {
    fn now(root: &Path) -> anyhow::Result<Self> {
        let results = root.join(RESULTS);
        let reached = runs::reached(&results)?;
        let readme_was = read_text(&root.join(README))?;
        let readme = readme::filled(&readme_was, &TABLES, |table| tables::named(&results, &reached, table))
            .with_context(|| format!("cannot bring {README} up to date"))?;
        Ok(Self { rows: reached.into_iter().map(|reached| reached.row).collect(), readme, readme_was })
    }
}

pub(crate) fn run(_: &Args) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in no workspace")?;
    let Told { rows, readme, .. } = Told::now(root)?;
    write_rows(&root.join(TABLE), &rows)?;
    write_atomic(&root.join(README), readme.as_bytes())?;
    println!("wrote {TABLE} and the tables of {README}");
    Ok(())
}

/// What breaks the rule that tables are what is kept.
pub(crate) fn stale(root: &Path) -> anyhow::Result<Vec<String>> {
    let Told { rows, readme, readme_was } = Told::now(root)?;
    let told: Vec<MeasuredRow> = read_rows(&root.join(TABLE))?;
    let stale = [(TABLE, told != rows), (README, readme_was != readme)];
    let stale = stale.into_iter().filter(|(_, stale)| *stale);
    Ok(stale.map(|(file, _)| format!("{file} is not what {RESULTS} says: cargo xtask results")).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A workspace with a run, a record on each machine, and tables that are theirs.
    fn workspace() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        runs::tests::keep(&root.path().join(RESULTS), "a/seed0-m", runs::tests::RECIPE, &[0.1, 0.9]);
        for machine in ["epyc-zen3-2core", "epyc-2core"] {
            crate::bench::keep(
                &root.path().join(RESULTS).join("bench"),
                &format!("resnet18-f32-{machine}.json"),
            );
        }
        let tables: String = TABLES
            .iter()
            .map(|table| format!("<!-- cargo xtask results: {table} -->\n<!-- end -->\n"))
            .collect();
        fs::write(root.path().join(README), tables).unwrap();
        fs::create_dir_all(root.path().join(TABLE).parent().unwrap()).unwrap();
        let Told { rows, readme, .. } = Told::now(root.path()).unwrap();
        write_rows(&root.path().join(TABLE), &rows).unwrap();
        fs::write(root.path().join(README), readme).unwrap();
        root
    }

    #[test]
    fn a_digit_that_no_record_has_is_stale() {
        let root = workspace();
        assert_eq!(stale(root.path()).unwrap(), Vec::<String>::new());
        for (file, from, to) in [(README, "90.00", "91.00"), (README, "2.26", "2.36"), (TABLE, "0.9", "0.91")]
        {
            let file = root.path().join(file);
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{text}");
            fs::write(&file, text.replacen(from, to, 1)).unwrap();
            let broken = stale(root.path()).unwrap();
            assert_eq!(broken.len(), 1, "{broken:?}");
            assert!(broken[0].contains(file.file_name().unwrap().to_str().unwrap()), "{broken:?}");
            fs::write(&file, text).unwrap();
        }
    }

    #[test]
    fn a_table_that_is_taken_away_is_missed() {
        let root = workspace();
        let readme = root.path().join(README);
        let text = fs::read_to_string(&readme).unwrap();
        fs::write(&readme, text.replace("rates of epyc-2core", "rates of epyc-zen3-2core")).unwrap();
        let error = format!("{:#}", stale(root.path()).unwrap_err());
        assert!(error.contains(README) && error.contains("rates of epyc-2core"), "{error}");
    }
}
