//! What is left of a comparison of runs: its files and their records.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Row;

/// The folder of one comparison. Its methods give the path of each file in it, whether or not it exists yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparisonDir {
    path: PathBuf,
}

impl ComparisonDir {
    /// The names of a comparison's files below this path, where nothing is made until something is written.
    pub fn names_below(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// [`ComparedRun`]s.
    pub fn csv(&self) -> PathBuf {
        self.path.join("compare.csv")
    }

    /// A [`Comparison`].
    pub fn json(&self) -> PathBuf {
        self.path.join("compare.json")
    }

    /// Loss and accuracy over the epochs, every recipe's in one picture.
    pub fn figure(&self) -> PathBuf {
        self.path.join("compare.png")
    }

    /// The same as SVG.
    pub fn figure_svg(&self) -> PathBuf {
        self.figure().with_extension("svg")
    }
}

/// Which images an accuracy is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// The test split.
    Test,
    /// Training images set aside.
    Holdout,
}

/// Runs beside each other, in `compare.json`: all judged by the same images. Accuracies are fractions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// For example `cifar10`.
    pub dataset: String,
    /// Which images the accuracies are of.
    pub judge: Judge,
    /// How many these are.
    pub images: usize,
    /// What differs besides the recipes and should be known to who reads the figures.
    pub warnings: Vec<String>,
    /// One a recipe, in the order given; the first is what the others are compared with.
    pub recipes: Vec<ComparedRecipe>,
    /// Each further recipe less the first.
    pub differences: Vec<Difference>,
}

/// The runs of one recipe, which differ in nothing but their seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedRecipe {
    /// Its name, with what tells it from others of that name.
    pub name: String,
    /// Mean accuracy after the last epoch.
    pub mean_accuracy: f64,
    /// Its standard deviation over the seeds (n − 1); of one run there is none.
    pub standard_deviation: Option<f64>,
    /// Mean accuracy of each run's best epoch: chosen by the images that judge it, so a little too high.
    pub mean_best_accuracy: f64,
    /// Mean seconds of a run's training steps.
    pub mean_train_seconds: f64,
    /// In the order of the seeds.
    pub runs: Vec<ComparedRun>,
}

/// One run, a line of `compare.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedRun {
    /// The name of its [`ComparedRecipe`].
    pub recipe: String,
    /// Its seed.
    pub seed: u64,
    /// Which images the accuracies are of.
    pub judge: Judge,
    /// Epochs it trained.
    pub epochs: u64,
    /// Accuracy after the last epoch.
    pub last_accuracy: f64,
    /// Accuracy after the epoch where it was best.
    pub best_accuracy: f64,
    /// That epoch, counted from 1.
    pub best_epoch: u64,
    /// Seconds of its training steps, as `timing.csv` counts them.
    pub train_seconds: f64,
    /// The run folder.
    pub run: PathBuf,
}

/// How much more accurate one recipe is than another after the last epoch, over the seeds that both have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The recipe whose accuracy is taken.
    pub recipe: String,
    /// The recipe whose accuracy is subtracted.
    pub less: String,
    /// The seeds that both have.
    pub seeds: Vec<u64>,
    /// Mean of the differences; none without a seed in common.
    pub mean: Option<f64>,
    /// Student's paired 95 % interval; it takes two pairs and some spread.
    pub interval: Option<[f64; 2]>,
    /// What the data allow to be said.
    pub verdict: String,
}

impl Row for ComparedRun {
    const COLUMNS: &'static [&'static str] = &[
        "recipe",
        "seed",
        "judge",
        "epochs",
        "last_accuracy",
        "best_accuracy",
        "best_epoch",
        "train_seconds",
        "run",
    ];
}
