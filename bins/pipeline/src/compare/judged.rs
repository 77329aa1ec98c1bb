//! A finished run, read to be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use wick_runs::{ComparedRun, DatasetRecord, EpochRow, Judge, Manifest, RunDir, TimingRow, read_rows};
use wick_train::Recipe;

use crate::context::{Run, needs};
use crate::terminal::{note, warn};

/// A finished run.
#[derive(Clone)]
pub struct Judged {
    pub path: PathBuf,
    pub recipe: Recipe,
    pub dataset: DatasetRecord,
    pub epochs: Vec<EpochRow>,
    pub train_seconds: f64,
}

impl Judged {
    fn read(dir: &RunDir) -> Result<Self> {
        let run = Run::open(dir.path())?;
        needs(&dir.epochs(), "train")?;
        let epochs: Vec<EpochRow> = read_rows(&dir.epochs())?;
        let (done, asked) = (epochs.len(), run.recipe.train.epochs);
        ensure!(
            done == asked,
            "{} has trained {done} of its {asked} epochs; go on with `train --run … --resume`, or leave it out",
            dir.path().display()
        );
        let timing: Vec<TimingRow> = read_rows(&dir.timing())?;
        let dataset = Manifest::read(dir)?.dataset;
        let dataset = dataset.with_context(|| {
            format!("{} does not name its data set; prepare it again", dir.manifest().display())
        })?;
        let train_seconds = timing.iter().map(|row| row.seconds).sum();
        Ok(Self { path: dir.path().to_owned(), recipe: run.recipe, dataset, epochs, train_seconds })
    }

    /// Which images judged it.
    pub fn judge(&self) -> Judge {
        if self.recipe.data.holdout == 0 { Judge::Test } else { Judge::Holdout }
    }

    /// What it computed, whatever its seed.
    pub fn recipe_identity(&self) -> String {
        Recipe { seed: 0, ..self.recipe.clone() }.identity()
    }

    /// Its line of the table, of a recipe that is called `name` there.
    pub fn record(&self, name: &str) -> Result<ComparedRun> {
        let (Some(first), Some(last)) = (self.epochs.first(), self.epochs.last()) else {
            bail!("{} has no epoch", self.path.display());
        };
        let best =
            self.epochs.iter().fold(first, |b, e| if e.test_accuracy > b.test_accuracy { e } else { b });
        Ok(ComparedRun {
            recipe: name.to_owned(),
            seed: self.recipe.seed,
            judge: self.judge(),
            epochs: last.epoch,
            last_accuracy: last.test_accuracy,
            best_accuracy: best.test_accuracy,
            best_epoch: best.epoch,
            train_seconds: self.train_seconds,
            run: self.path.clone(),
        })
    }
}

/// The runs that the command line names, each once however often it does. Of a recipe's folder: the latest finished run of each
/// recipe and seed in it, and what was passed over is told.
pub fn open(paths: &[PathBuf]) -> Result<Vec<Judged>> {
    let mut runs: Vec<Judged> = Vec::new();
    let mut known = BTreeSet::new();
    for path in paths {
        let dirs = RunDir::open_all(path)?;
        let named = match &dirs[..] {
            [dir] => vec![Judged::read(dir)?],
            _ => of_folder(path, &dirs)?,
        };
        for run in named {
            let place = run.path.canonicalize();
            let place = place.with_context(|| format!("cannot read {}", run.path.display()))?;
            if known.insert(place) {
                runs.push(run);
            }
        }
    }
    Ok(runs)
}

fn of_folder(path: &Path, dirs: &[RunDir]) -> Result<Vec<Judged>> {
    let mut latest: BTreeMap<(String, u64), Judged> = BTreeMap::new();
    for dir in dirs {
        match Judged::read(dir) {
            Ok(run) => {
                let older = latest.insert((run.recipe_identity(), run.recipe.seed), run);
                if let Some(older) = older {
                    note(&format!("passed over {}: a later run repeats it", older.path.display()));
                }
            }
            Err(why) => warn(&format!("passed over: {why:#}")),
        }
    }
    ensure!(!latest.is_empty(), "{} holds no finished run; train one first", path.display());
    let mut runs: Vec<Judged> = latest.into_values().collect();
    runs.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(runs)
}
