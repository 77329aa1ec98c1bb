//! The recipe, batches, the epoch loop, evaluation and checkpoints.
//!
//! A [`Recipe`] describes an experiment; [`Data`] divides a data set as it says; [`find_lr`] runs the range test,
//! [`train`] the epochs, [`evaluate`] the judgement. Everything a run leaves behind is in its run folder
//! (`wick-runs`), and everything it computes is a function of recipe, data and seed: neither the number of threads nor
//! interruptions change a bit of it.
//!
//! ```
//! use wick_train::Layers;
//!
//! let text = include_str!("../examples/tiny.toml");
//! let recipe = Layers::default().over("tiny.toml", text)?.set("train.epochs=3")?.resolve()?;
//! assert_eq!(recipe.train.epochs, 3);
//! assert_eq!(recipe.steps_per_epoch(1000), 32); // the last batch of 8 is kept
//!
//! let error = Layers::default().over("tiny.toml", text)?.set("train.epoch=3")?.resolve().unwrap_err();
//! assert!(error.to_string().contains("did you mean `epochs`?"));
//! # Ok::<(), wick_train::TrainError>(())
//! ```

pub mod checkpoint;
mod compute;
mod data;
mod error;
mod evaluate;
mod find_lr;
mod initial;
mod recipe;
mod training;
mod watch;

pub use compute::{Compute, Cut, Logits, Recorded, Wanted};
pub mod gpu;
pub use data::{
    Batch, BatchPlan, Data, DataRecord, DataSource, Partners, evaluation_batches, training_batches,
};
pub use error::TrainError;
pub use evaluate::{Evaluation, EvaluationOptions, Views, evaluate, softmax};
pub use find_lr::{find_lr, find_lr_on};
pub use recipe::{
    Convolution, DataConfig, DatasetKind, EvaluateConfig, Freeze, LastBatch, Layers, Mix, ModelConfig,
    Precision, Published, PublishedSummary, Recipe, TrainConfig,
};
pub use training::{Event, Observer, Outcome, Progress, Start, train, train_on};
pub use watch::{Cause, Leap, Pace, Span, Warning};
pub use wick_cuda::Determinism;
