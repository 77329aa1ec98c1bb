//! The runs that are kept, and what they reached.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use wick_metrics::{mean, standard_deviation};
use wick_runs::{EpochRow, MeasuredRow, RunDir, TimingRow, read_rows, read_text};

/// Runs of a recipe on a machine, in a precision.
#[derive(Debug)]
pub(super) struct Reached {
    /// What their last epochs came to.
    pub(super) row: MeasuredRow,
    /// The accuracy after the last epoch of the run that was published under the recipe's name.
    pub(super) published: Option<f64>,
    /// Seconds of training, of the quickest and of the slowest.
    pub(super) seconds: [f64; 2],
}

/// A run of which nothing was left out.
#[derive(Debug, Clone, Copy)]
struct Run {
    last: EpochRow,
    published: Option<f64>,
    seconds: f64,
}

/// Of each recipe, machine and precision, in the order of their names.
pub(super) fn reached(results: &Path) -> anyhow::Result<Vec<Reached>> {
    let mut groups: BTreeMap<[String; 3], Vec<Run>> = BTreeMap::new();
    for recipe in folders(results)? {
        for run in folders(&recipe)? {
            if let Some(machine) = machine(&run) {
                let (name, precision, kept) = whole(&run)?;
                ensure!(
                    recipe.file_name().is_some_and(|folder| folder == name.as_str()),
                    "{} is a run of `{name}`, expected one of its folder's recipe",
                    run.display()
                );
                groups.entry([name, precision, machine]).or_default().push(kept);
            }
        }
    }
    groups.into_iter().map(|(of, runs)| together(of, &runs)).collect()
}

fn together([recipe, precision, machine]: [String; 3], runs: &[Run]) -> anyhow::Result<Reached> {
    let accuracies: Vec<f64> = runs.iter().map(|run| run.last.test_accuracy).collect();
    let epochs = runs.first().map_or(0, |run| run.last.epoch);
    ensure!(
        runs.iter().all(|run| run.last.epoch == epochs),
        "runs of {recipe} on {machine} are of several lengths"
    );
    let published = runs.first().and_then(|run| run.published);
    ensure!(
        runs.iter().all(|run| run.published == published),
        "runs of {recipe} on {machine} do not agree on the published accuracy"
    );
    let deviation = if accuracies.len() > 1 { Some(standard_deviation(&accuracies)?) } else { None };
    let (runs_kept, test_accuracy) = (accuracies.len(), mean(&accuracies)?);
    let end = |pick: fn(f64, f64) -> f64| runs.iter().map(|run| run.seconds).reduce(pick).unwrap_or(0.0);
    Ok(Reached {
        published,
        seconds: [end(f64::min), end(f64::max)],
        row: MeasuredRow { recipe, precision, machine, runs: runs_kept, epochs, test_accuracy, deviation },
    })
}

/// Name and precision of a run of which nothing was left out, and what it came to.
fn whole(run: &Path) -> anyhow::Result<(String, String, Run)> {
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
    let told = recipe.get("published").and_then(|published| {
        let each = || published.get("test_accuracy")?.as_array()?.last();
        published.get("last_test_accuracy").or_else(each)
    });
    let no_number = || format!("the published accuracy in {} is no number like 0.94", run.display());
    let published = told.map(|told| told.as_float().with_context(no_number)).transpose()?;
    let timing: Vec<TimingRow> = read_rows(&dir.timing())?;
    let seconds = timing.iter().map(|row| row.seconds).sum();
    match epochs.last() {
        Some(&last) if i64::try_from(last.epoch) == Ok(number("train.epochs")?) => {
            let (rows, all) = (timing.len(), epochs.len());
            ensure!(rows == all, "{} has the times of {rows} epochs, expected {all}", run.display());
            Ok((text("name")?, text("train.precision")?, Run { last, published, seconds }))
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
pub(super) mod tests {
    use wick_runs::write_rows;

    use super::*;

    pub(crate) fn keep(results: &Path, folder: &str, recipe: &str, accuracies: &[f64]) {
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
        let timing: Vec<TimingRow> = rows
            .iter()
            .map(|row| TimingRow { epoch: row.epoch, seconds: 1.5, images_per_second: 9.0 })
            .collect();
        write_rows(&dir.timing(), &timing).unwrap();
    }

    pub(crate) const RECIPE: &str =
        "name = \"a\"\n[data]\nlimit = 0\nholdout = 0\n[train]\nepochs = 2\nprecision = \"bf16\"\n";

    #[test]
    fn seeds_of_a_recipe_and_machine_make_a_line() {
        let results = tempfile::tempdir().unwrap();
        keep(results.path(), "a/seed0-m", RECIPE, &[0.1, 0.90]);
        keep(results.path(), "a/seed1-m", RECIPE, &[0.1, 0.92]);
        keep(results.path(), "a/seed0-n", RECIPE, &[0.1, 0.5]);
        keep(results.path(), "a/limit100-seed0-m", &RECIPE.replace("limit = 0", "limit = 100"), &[0.1]);
        let kept = reached(results.path()).unwrap();
        let rows: Vec<_> = kept.iter().map(|kept| &kept.row).collect();
        let told: Vec<_> = rows.iter().map(|row| (row.machine.as_str(), row.runs, row.epochs)).collect();
        assert_eq!(told, [("m", 2, 2), ("n", 1, 2)]);
        assert!((rows[0].test_accuracy - 0.91).abs() < 1e-12);
        // Of two values half a unit from their mean each, √(2·0.01²).
        assert!((rows[0].deviation.unwrap() - 2f64.sqrt() * 0.01).abs() < 1e-12);
        assert_eq!(rows[1].deviation, None);
        assert_eq!((kept[0].seconds, kept[0].published), ([3.0; 2], None));
    }

    #[test]
    fn the_published_accuracy_is_that_of_the_last_epoch() {
        let published = |keys: &str| {
            let results = tempfile::tempdir().unwrap();
            keep(results.path(), "a/seed0-m", &format!("{RECIPE}[published]\n{keys}\n"), &[0.1, 0.2]);
            reached(results.path()).unwrap()[0].published
        };
        assert_eq!(published("last_test_accuracy = 0.88"), Some(0.88));
        assert_eq!(published("epochs = 2\ntest_accuracy = [0.5, 0.7]"), Some(0.7));
        assert_eq!(published("epochs = 2"), None);
        let results = tempfile::tempdir().unwrap();
        let recipe = format!("{RECIPE}[published]\nlast_test_accuracy = \"88 %\"\n");
        keep(results.path(), "a/seed0-m", &recipe, &[0.1, 0.2]);
        assert!(reached(results.path()).unwrap_err().to_string().contains("no number like 0.94"));
    }

    #[test]
    fn runs_that_are_not_whole_are_refused() {
        let refused = |recipe: &str, accuracies: &[f64]| {
            let results = tempfile::tempdir().unwrap();
            keep(results.path(), "a/seed0-m", recipe, accuracies);
            reached(results.path()).unwrap_err().to_string()
        };
        let holdout = RECIPE.replace("holdout = 0", "holdout = 5000");
        assert!(refused(&holdout, &[0.1, 0.2]).contains("data.holdout = 5000"));
        assert!(refused(RECIPE, &[0.1]).contains("not all of its epochs"));
        assert!(refused(&RECIPE.replace("\"a\"", "\"b\""), &[0.1, 0.2]).contains("is a run of `b`"));
    }
}
