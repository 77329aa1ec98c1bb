//! The command line.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::examples;

/// Over the options that all stages have.
const EVERY: &str = "Options of every stage";

/// Train, tune and explain CIFAR ResNets, stage by stage. The stages talk through the files of one run folder.
#[derive(Debug, Parser)]
#[command(name = "pipeline", version, max_term_width = 110, after_help = examples::PIPELINE)]
pub struct Cli {
    /// Threads to compute with; all cores unless given. No result depends on it.
    #[arg(long, global = true, help_heading = EVERY, value_name = "N")]
    pub threads: Option<usize>,
    /// Where networks are computed, by train, find-lr, evaluate, gradcam, bench and, of a checkpoint, misclassified: `auto` (a GPU if there is one with all that it needs), `cpu`, `cuda`, `cuda:1`.
    #[arg(long, global = true, help_heading = EVERY, env = "WICK_DEVICE", value_name = "DEVICE", default_value = "auto")]
    pub device: wick_train::Wanted,
    /// On a GPU: only engines that always sum in the same order, so that two runs have the same bits. The CPU's always have.
    #[arg(long, global = true, help_heading = EVERY)]
    pub deterministic: bool,
    /// Tell the result as one JSON value on standard output, for programs.
    #[arg(long, global = true, help_heading = EVERY)]
    pub json: bool,
    /// No bars and no notes: errors, warnings, and on standard output the files that were written, one a line.
    #[arg(long, short, global = true, help_heading = EVERY)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub stage: Stage,
}

/// The stages, in the order in which a run goes through them.
#[derive(Debug, Subcommand)]
pub enum Stage {
    /// Begin a run: resolve the recipe, divide the data, make the run folder.
    #[command(after_help = examples::PREPARE)]
    Prepare(PrepareArgs),
    /// Draw what training will see: augmented images and the learning-rate schedule.
    Preview(PreviewArgs),
    /// Print the network layer by layer, with its totals.
    Summary(SummaryArgs),
    /// Run the learning-rate range test.
    #[command(after_help = examples::FIND_LR)]
    FindLr(RunArgs),
    /// Train, from the beginning or on from the last checkpoint.
    #[command(after_help = examples::TRAIN)]
    Train(TrainArgs),
    /// Judge the network on the test split: predictions, per-class accuracy, confusion matrix.
    #[command(after_help = examples::EVALUATE)]
    Evaluate(EvaluateArgs),
    /// Draw the misclassified images, and the correct ones that were nearly misclassified.
    #[command(after_help = examples::MISCLASSIFIED)]
    Misclassified(MisclassifiedArgs),
    /// Draw where the network looks, by Grad-CAM and ten other methods, or measure how well they tell.
    #[command(after_help = examples::GRADCAM)]
    Gradcam(crate::stages::gradcam::Args),
    /// Draw the curves, the range test, the schedule, the confusion matrix, accuracies of the classes, and how far confidences can be
    /// relied on.
    Plot(RunArgs),
    /// Compare with what was published.
    Claims(RunArgs),
    /// Put all that a run left on one page, or several runs beside each other.
    Report(ReportArgs),
    /// Compare runs with each other, grouped by recipe: table, curves, paired differences.
    #[command(after_help = examples::COMPARE)]
    Compare(crate::compare::Args),
    /// List the recipes.
    Recipes,
    /// Measure how fast a network trains here.
    Bench(crate::bench::Args),
}

/// `prepare`
#[derive(Debug, Args)]
pub struct PrepareArgs {
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// CIFAR's binary files: a folder or the .tar.gz.
    #[arg(long, value_name = "DIR", conflicts_with = "quick")]
    pub data: Option<PathBuf>,
    /// Where run folders are kept.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,
}

/// A recipe and what is changed of it.
#[derive(Debug, Args)]
pub struct RecipeArgs {
    /// A recipe's name (`pipeline recipes` lists them) or a TOML file.
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub recipe: String,
    /// Use the generated shapes and a small budget, offline.
    #[arg(long)]
    pub quick: bool,
    /// Passes over the training images. `one_cycle`, and a schedule whose length is "run", stretch to fit; others keep their lengths,
    /// and one that is longer than the run is refused.
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Training images to use; fewer of them make fewer steps an epoch.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Training images to set aside and judge by, instead of the test split.
    #[arg(long, value_name = "N")]
    pub holdout: Option<usize>,
    /// How activations are stored: f32 or bf16; on a GPU also tf32, which is f32 but for the factors of products.
    #[arg(long, value_name = "NAME", value_parser = ["f32", "tf32", "bf16"])]
    pub precision: Option<String>,
    /// Keys every random number.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Change any value, for instance `--set schedule.max_lr=0.01`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// A stage that works on a run folder alone.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub run: RunFolder,
}

/// Which run folder, and what is already done in it.
#[derive(Debug, Args)]
pub struct RunFolder {
    /// The run folder, or a recipe's folder for its latest run.
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// The data, if they lie elsewhere now than when the run was prepared.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Do nothing if this stage has run and nothing that it read has changed since.
    #[arg(long)]
    pub skip_current: bool,
}

/// `preview`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("previewed").args(["run", "recipe"]).required(true))]
pub struct PreviewArgs {
    /// The run folder, or a recipe's folder for its latest run.
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// The data, if they lie elsewhere now than when the run was prepared.
    #[arg(long, value_name = "DIR", requires = "run")]
    pub data: Option<PathBuf>,
    /// Do nothing if this stage has run and nothing that it read has changed since.
    #[arg(long, requires = "run")]
    pub skip_current: bool,
    /// A recipe's name or file instead of a run: its schedule alone, without data.
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub recipe: Option<String>,
    /// Change a value of the recipe, for instance `--set schedule.max_lr=0.01`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "recipe")]
    pub set: Vec<String>,
    /// Training images an epoch of the recipe.
    #[arg(long, value_name = "N", requires = "recipe", default_value_t = 50_000)]
    pub images: usize,
    /// Where to draw the recipe's schedule: a .png or a .svg.
    #[arg(long, value_name = "FILE", requires = "recipe", default_value = "schedule.png")]
    pub out: PathBuf,
}

/// `report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run folder, or a recipe's folder for its latest run. Given more than once: the runs to compare with the first.
    #[arg(long, value_name = "DIR", required = true)]
    pub run: Vec<PathBuf>,
    /// Where to write the page [default: in the run folder; of several runs in the current one].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Do nothing if this stage has run and nothing that it read has changed since.
    #[arg(long, conflicts_with = "out")]
    pub skip_current: bool,
}

/// `summary`
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// The run folder, or a recipe's folder for its latest run; the summary is then kept in it.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["recipe", "checkpoint"])]
    pub run: Option<PathBuf>,
    /// A recipe's name or file instead of a run.
    #[arg(long, value_name = "NAME|FILE.toml", conflicts_with = "checkpoint")]
    pub recipe: Option<String>,
    /// A weights file instead of a run.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["run", "recipe"])]
    pub checkpoint: Option<PathBuf>,
    /// Images in the batch that is described.
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub batch_size: usize,
    /// Do nothing if this stage has run and nothing that it read has changed since.
    #[arg(long, requires = "run")]
    pub skip_current: bool,
}

/// `train`
#[derive(Debug, Args)]
pub struct TrainArgs {
    #[command(flatten)]
    pub run: RunFolder,
    /// Go on from the last checkpoint; begin where there is none.
    #[arg(long)]
    pub resume: bool,
}

/// Which of a run's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Weights {
    Last,
    Best,
}

/// `evaluate`
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    pub source: Source,
    /// Where to write the results of a checkpoint [default: evaluation].
    #[arg(long, value_name = "DIR", requires = "checkpoint")]
    pub out: Option<PathBuf>,
}

/// Which misclassified images come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GalleryOrder {
    /// Those with the lowest index.
    Index,
    /// Those with the most probable prediction.
    Confidence,
}

/// `misclassified`
#[derive(Debug, Args)]
pub struct MisclassifiedArgs {
    #[command(flatten)]
    pub source: Source,
    /// Images in each gallery; unless given, as many as a run's recipe says (`evaluate.misclassified`), of a weights file 20.
    #[arg(long, value_name = "N")]
    pub count: Option<usize>,
    /// Which misclassified images are shown, and in which order.
    #[arg(long, value_enum, default_value_t = GalleryOrder::Index)]
    pub order: GalleryOrder,
    /// Where to draw the galleries of a checkpoint [default: galleries].
    #[arg(long, value_name = "DIR", conflicts_with = "run")]
    pub out: Option<PathBuf>,
}

/// A run, or a weights file with data.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("subject").args(["run", "checkpoint"]).required(true))]
pub struct Source {
    /// The run folder, or a recipe's folder for its latest run.
    #[arg(long, value_name = "DIR", conflicts_with = "checkpoint")]
    pub run: Option<PathBuf>,
    /// Which of the run's weights: those after the last epoch, or those of the epoch with the best test accuracy [default: last].
    #[arg(long, value_enum, conflicts_with = "checkpoint")]
    pub weights: Option<Weights>,
    /// A weights file from anywhere: .safetensors or PyTorch's .pth.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// The network in that file, where it cannot be told from its tensors.
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    pub model: Option<wick_models::Architecture>,
    /// CIFAR's binary files: a folder or the .tar.gz.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Do nothing if this stage has run and nothing that it read has changed since.
    #[arg(long, requires = "run")]
    pub skip_current: bool,
}
