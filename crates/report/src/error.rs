//! What can keep a page from being made.

use std::path::PathBuf;

use wick_metrics::MetricsError;
use wick_runs::RunsError;
use wick_viz::VizError;

/// What can keep a page from being made. A file that is not there does not: its section says which stage writes it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file of the run cannot be read, or is damaged.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// A picture cannot be drawn.
    #[error(transparent)]
    Viz(#[from] VizError),
    /// The predictions are no probabilities.
    #[error("{path} holds no predictions that can be judged", path = path.display())]
    Predictions {
        /// The table of predictions.
        path: PathBuf,
        /// What is wrong with it.
        source: MetricsError,
    },
    /// A recipe is no TOML.
    #[error("{path} is not valid TOML; the stage `prepare` writes it", path = path.display())]
    Recipe {
        /// The recipe.
        path: PathBuf,
        /// Where it breaks.
        source: Box<toml::de::Error>,
    },
    /// A file is not what its stage writes.
    #[error("{path}: expected {expected}, got {got}; the stage `{stage}` writes it anew", path = path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What belongs there.
        expected: String,
        /// What is there.
        got: String,
        /// The stage that writes it.
        stage: &'static str,
    },
    /// A comparison of fewer than two runs.
    #[error("a comparison is of two runs or more, got {0}; one run has a page of its own")]
    TooFewRuns(usize),
    /// One run was named twice.
    #[error("{path} is named twice; a run is compared with others", path = .0.display())]
    SameRun(PathBuf),
    /// The page cannot be put together.
    #[error("the page cannot be put together")]
    Template(#[from] askama::Error),
}
