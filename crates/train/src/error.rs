//! What can go wrong.

use std::path::PathBuf;

/// Why a recipe cannot be carried out, or a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A file that cannot be read.
    #[error("cannot read {what} from {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// The system's word.
        source: std::io::Error,
    },
    /// A file that cannot be written.
    #[error("cannot write {}: {source}; choose another folder or make room", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// Text that is no TOML.
    #[error("{origin} is not valid TOML: {message}")]
    RecipeSyntax {
        /// File or recipe name.
        origin: String,
        /// The parser's words, with line and column.
        message: String,
    },
    /// A key that is unknown or missing, or a value of another type.
    #[error("the recipe does not fit together: {message}")]
    Recipe {
        /// What was expected, and the nearest known key.
        message: String,
    },
    /// A value out of range.
    #[error("the recipe's {key} is {value}; allowed is {allowed}")]
    Value {
        /// Dotted key.
        key: String,
        /// What stands there.
        value: String,
        /// What may.
        allowed: String,
    },
    /// A `--set` that cannot be carried out.
    #[error("cannot set `{assignment}`: {why}; write it as `train.epochs=3`")]
    Assignment {
        /// As given.
        assignment: String,
        /// What is wrong with it.
        why: String,
    },
    /// `max_lr = "find"` before the range test has been run.
    #[error(
        "the recipe takes its peak learning rate from the range test (schedule.max_lr = \"find\"), and {} is not \
         there or has no suggestion; run the stage `find-lr` first, or set schedule.max_lr to a number", path.display()
    )]
    NoSuggestion {
        /// The range test's report.
        path: PathBuf,
    },
    /// No data where the recipe needs some.
    #[error(
        "this recipe trains on CIFAR, and no data folder was given; name one with `--data DIR` (it holds \
         data_batch_1.bin to data_batch_5.bin and test_batch.bin; `cargo xtask dataset fetch` downloads them), or use \
         the generated stand-in with `--quick`"
    )]
    NoData,
    /// More images asked for than there are.
    #[error("{key} is {asked}, but the data set has {available} training images; ask for fewer")]
    TooFewImages {
        /// Dotted key.
        key: &'static str,
        /// How many were asked for.
        asked: usize,
        /// How many there are.
        available: usize,
    },
    /// An epoch without a step.
    #[error(
        "an epoch has no step: train.last_batch is \"drop\" and there are fewer than {batch_size} training images, the \
         batch size; use more images, smaller batches, or keep the last batch"
    )]
    NoSteps {
        /// Images a step.
        batch_size: usize,
    },
    /// The data are not those that the run began with.
    #[error(
        "the data set is not the one this run was prepared with: expected SHA-256 {expected}, got {got}; give the same \
         data, or prepare a new run"
    )]
    OtherData {
        /// Recorded hash.
        expected: String,
        /// Hash of what was given.
        got: String,
    },
    /// A recipe that is not the one of the checkpoint.
    #[error(
        "the checkpoint in {} was made under another recipe; going on would mix two runs: undo what was changed in the \
         recipe, or prepare a new run", path.display()
    )]
    OtherRecipe {
        /// The run folder.
        path: PathBuf,
    },
    /// A run that would be overwritten.
    #[error(
        "the run in {} has trained already, and beginning anew would lose that; go on with `--resume`, or prepare a new \
         run", path.display()
    )]
    AlreadyTrained {
        /// The run folder.
        path: PathBuf,
    },
    /// A checkpoint whose parts do not belong together.
    #[error("the checkpoint in {} cannot be used: {message}", path.display())]
    Checkpoint {
        /// Its folder or file.
        path: PathBuf,
        /// What was expected and found.
        message: String,
    },
    /// The loss is no number any more.
    #[error(
        "the train loss is {loss} at step {step} (epoch {epoch}), with learning rate {lr:.3e}: the run has diverged; \
         prepare a new run with a lower learning rate, a longer warm-up, or gradients clipped by norm \
         (gradients.clip = {{ norm = 1.0 }}). What was saved before stays"
    )]
    Diverged {
        /// Global step, from 1.
        step: u64,
        /// Epoch, from 1.
        epoch: u64,
        /// The learning rate of that step.
        lr: f64,
        /// The loss.
        loss: f32,
    },
    /// The network's outputs are no numbers any more.
    #[error(
        "after step {step} (the last of epoch {epoch}), with learning rate {lr:.3e}, the network's outputs are no numbers: the run has \
         diverged; prepare a new run with a lower learning rate, a longer warm-up, or gradients clipped by norm \
         (gradients.clip = {{ norm = 1.0 }}). What was saved before stays"
    )]
    NoNumbers {
        /// Global step, from 1.
        step: u64,
        /// Epoch, from 1.
        epoch: u64,
        /// The learning rate of that step.
        lr: f64,
    },
    /// From the data reader.
    #[error(transparent)]
    Cifar(#[from] wick_cifar::CifarError),
    /// From the transforms.
    #[error("the recipe's transforms cannot be carried out: {0}")]
    Augment(#[source] wick_augment::AugmentError),
    /// From the optimiser, the average or the schedule.
    #[error("the recipe's optimiser, average or schedule cannot be carried out: {0}")]
    Optim(#[from] wick_optim::OptimError),
    /// From the network or its weights.
    #[error(transparent)]
    Model(#[from] wick_models::ModelError),
    /// From the run folder.
    #[error(transparent)]
    Runs(#[from] wick_runs::RunsError),
    /// From the metrics: logits that are no numbers, for instance.
    #[error(transparent)]
    Metrics(#[from] wick_metrics::MetricsError),
    /// From candle.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// A GPU that is not there, or that went wrong.
    #[error(transparent)]
    Cuda(#[from] wick_cuda::CudaError),
    /// What only a GPU computes.
    #[error("train.precision = \"tf32\" is a GPU's; use f32 or bf16 on the CPU, or `--device cuda`")]
    NotOnCpu,
}
