//! `cargo xtask results`: what the recipes reached, gathered from the runs that are kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use wick_metrics::{mean, standard_deviation};
use wick_runs::{EpochRow, MeasuredRow, RunDir, read_rows, read_text, write_rows};

/// Where the runs are kept, from the workspace's root: `<recipe>/seed<N>-<machine>/`.
const RESULTS: &str = "xtask/results";
/// Where the pipeline has what its recipes reached.
const TABLE: &str = "bins/pipeline/measured.csv";

/// Gather what the recipes reached from the runs kept in xtask/results, for `pipeline recipes` to tell
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in no workspace")?;
    let rows = measured(&root.join(RESULTS))?;
    for row in &rows {
        let deviation = row.deviation.map_or_else(String::new, |d| format!(" ± {:.2}", 100.0 * d));
        let (recipe, accuracy, runs) = (&row.recipe, 100.0 * row.test_accuracy, row.runs);
        println!(
            "{recipe:24} {:10} {:5} {accuracy:.2}{deviation} % (n = {runs})",
            row.machine, row.precision
        );
    }
    write_rows(&root.join(TABLE), &rows)?;
    println!("wrote {TABLE}");
    Ok(())
}

/// What breaks the rule that the table is what the kept runs say.
pub(crate) fn stale(root: &Path) -> anyhow::Result<Vec<String>> {
    let told: Vec<MeasuredRow> = read_rows(&root.join(TABLE))?;
    let now = measured(&root.join(RESULTS))?;
    let same = told == now;
    Ok(if same {
        Vec::new()
    } else {
        vec![format!("{TABLE} is not what {RESULTS} says: cargo xtask results")]
    })
}

/// One line for each recipe, machine and precision, in the order of their names.
fn measured(results: &Path) -> anyhow::Result<Vec<MeasuredRow>> {
    let mut groups: BTreeMap<[String; 3], Vec<EpochRow>> = BTreeMap::new();
    for recipe in folders(results)? {
        for run in folders(&recipe)? {
            if let Some(machine) = machine(&run) {
                let (name, precision, last) = whole(&run)?;
                ensure!(
                    recipe.file_name().is_some_and(|folder| folder == name.as_str()),
                    "{} is a run of `{name}`, expected one of its folder's recipe",
                    run.display()
                );
                groups.entry([name, precision, machine]).or_default().push(last);
            }
        }
    }
    groups.into_iter().map(|(of, last)| row(of, &last)).collect()
}

fn row([recipe, precision, machine]: [String; 3], last: &[EpochRow]) -> anyhow::Result<MeasuredRow> {
    let accuracies: Vec<f64> = last.iter().map(|row| row.test_accuracy).collect();
    let epochs = last.first().map_or(0, |row| row.epoch);
    ensure!(
        last.iter().all(|row| row.epoch == epochs),
        "runs of {recipe} on {machine} are of several lengths"
    );
    let deviation = if accuracies.len() > 1 { Some(standard_deviation(&accuracies)?) } else { None };
    let (runs, test_accuracy) = (accuracies.len(), mean(&accuracies)?);
    Ok(MeasuredRow { recipe, precision, machine, runs, epochs, test_accuracy, deviation })
}

/// Name, precision and last epoch of a run of which nothing was left out.
fn whole(run: &Path) -> anyhow::Result<(String, String, EpochRow)> {
    let dir = RunDir::names_below(run);
    let recipe: toml::Table = read_text(&dir.recipe_toml())?
        .parse()
        .with_context(|| format!("cannot read {}", dir.recipe_toml().display()))?;
    let recipe = toml::Value::Table(recipe);
    let key = |path: &str| {
        let found = path.split('.').try_fold(&recipe, |table, key| table.get(key));
        found.with_context(|| format!("{} says nothing of `{path}`", dir.recipe_toml().display()))
    };
    let number = |path: &str| -> anyhow::Result<i64> {
        key(path)?.as_integer().with_context(|| format!("`{path}` is no whole number in {}", run.display()))
    };
    let text = |path: &str| -> anyhow::Result<String> {
        Ok(key(path)?
            .as_str()
            .with_context(|| format!("`{path}` is no text in {}", run.display()))?
            .to_owned())
    };
    for cut in ["data.limit", "data.holdout"] {
        ensure!(number(cut)? == 0, "{} has {cut} = {}, expected all images", run.display(), number(cut)?);
    }
    let epochs: Vec<EpochRow> = read_rows(&dir.epochs())?;
    match epochs.last() {
        Some(last) if i64::try_from(last.epoch) == Ok(number("train.epochs")?) => {
            Ok((text("name")?, text("train.precision")?, *last))
        }
        _ => bail!("{} has not all of its epochs", run.display()),
    }
}

/// The machine of a folder `seed<N>-<machine>`; any other is of a run that says nothing of its recipe.
fn machine(run: &Path) -> Option<String> {
    let (seed, machine) = run.file_name()?.to_str()?.strip_prefix("seed")?.split_once('-')?;
    seed.parse::<u64>().ok().map(|_| machine.to_owned())
}

fn folders(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?.path();
        if entry.is_dir() {
            folders.push(entry);
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(results: &Path, folder: &str, recipe: &str, accuracies: &[f64]) {
        let run = results.join(folder);
        fs::create_dir_all(&run).unwrap();
        let dir = RunDir::names_below(&run);
        fs::write(dir.recipe_toml(), recipe).unwrap();
        let rows: Vec<EpochRow> = (1..)
            .zip(accuracies)
            .map(|(epoch, accuracy)| EpochRow {
                epoch,
                lr: 0.1,
                momentum: 0.9,
                train_loss: 1.0,
                train_accuracy: 0.5,
                test_loss: 1.0,
                test_accuracy: *accuracy,
            })
            .collect();
        write_rows(&dir.epochs(), &rows).unwrap();
    }

    const RECIPE: &str =
        "name = \"a\"\n[data]\nlimit = 0\nholdout = 0\n[train]\nepochs = 2\nprecision = \"bf16\"\n";

    #[test]
    fn seeds_of_a_recipe_and_machine_make_a_line() {
        let results = tempfile::tempdir().unwrap();
        keep(results.path(), "a/seed0-m", RECIPE, &[0.1, 0.90]);
        keep(results.path(), "a/seed1-m", RECIPE, &[0.1, 0.92]);
        keep(results.path(), "a/seed0-n", RECIPE, &[0.1, 0.5]);
        keep(results.path(), "a/limit100-seed0-m", &RECIPE.replace("limit = 0", "limit = 100"), &[0.1]);
        let rows = measured(results.path()).unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.machine.as_str(), row.runs, row.epochs)).collect();
        assert_eq!(told, [("m", 2, 2), ("n", 1, 2)]);
        assert!((rows[0].test_accuracy - 0.91).abs() < 1e-12);
        // Of two values half a unit from their mean each, √(2·0.01²).
        assert!((rows[0].deviation.unwrap() - 2f64.sqrt() * 0.01).abs() < 1e-12);
        assert_eq!(rows[1].deviation, None);
    }

    #[test]
    fn runs_that_are_not_whole_are_refused() {
        let refused = |recipe: &str, accuracies: &[f64]| {
            let results = tempfile::tempdir().unwrap();
            keep(results.path(), "a/seed0-m", recipe, accuracies);
            measured(results.path()).unwrap_err().to_string()
        };
        let holdout = RECIPE.replace("holdout = 0", "holdout = 5000");
        assert!(refused(&holdout, &[0.1, 0.2]).contains("data.holdout = 5000"));
        assert!(refused(RECIPE, &[0.1]).contains("not all of its epochs"));
        assert!(refused(&RECIPE.replace("\"a\"", "\"b\""), &[0.1, 0.2]).contains("is a run of `b`"));
    }
}
