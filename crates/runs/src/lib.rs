//! The run folder: every file's name, its record type, reading and atomic writing.
//!
//! The stages of a training run talk only through files in one folder,
//! `runs/<recipe>/<yyyymmdd-hhmmss>-seed<seed>/`. This crate is the one place that knows what these
//! files are called ([`RunDir`]) and what stands in them ([`EpochRow`], [`Manifest`], [`Claims`], …).
//! Every file is written beside its place, flushed to the disk and renamed, so that a reader finds
//! the old file or the new one and never half of one.
//!
//! ```
//! use wick_runs::{EpochRow, RunDir, Timestamp, append_rows, cut_rows_after, read_rows};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let scratch = tempfile::tempdir()?;
//! # let runs = scratch.path();
//! let run = RunDir::create(runs, "s11", 0, Timestamp::now())?;
//! let row = |epoch| EpochRow {
//!     epoch,
//!     lr: 0.01,
//!     momentum: 0.9,
//!     train_loss: 1.5,
//!     train_accuracy: 0.45,
//!     test_loss: 1.3,
//!     test_accuracy: 0.53,
//! };
//! append_rows(&run.epochs(), &[row(1), row(2), row(3)])?;
//!
//! // The checkpoint was written after epoch 2: a resumed run starts from there.
//! let cut = cut_rows_after::<EpochRow>(&run.epochs(), 2)?;
//! assert_eq!((cut.kept, cut.cut), (2, 1));
//! assert_eq!(read_rows::<EpochRow>(&run.epochs())?.len(), 2);
//!
//! // A recipe's folder stands for its latest run.
//! assert_eq!(RunDir::open(&runs.join("s11"))?.path().file_name(), run.path().file_name());
//! # Ok(())
//! # }
//! ```

mod cam_index;
mod cam_quality;
mod cam_weights;
mod claims;
mod claims_table;
mod comparison;
mod confusion;
mod error;
mod files;
mod folder;
mod gallery;
mod hash;
mod json;
mod latest;
mod machine;
mod manifest;
mod measured;
mod norms;
mod numbers;
mod predictions;
mod rows;
mod stage;
mod table;
mod write;

pub use cam_index::{CamIndexRow, CamSmoothing, CamStatus};
pub use cam_quality::CamQualityRow;
pub use cam_weights::CamWeights;
pub use claims::{Claim, Claims, Kind, Unit, Value, Verdict};
pub use comparison::{ComparedRecipe, ComparedRun, Comparison, ComparisonDir, Difference, Judge};
pub use confusion::ConfusionTable;
pub use error::RunsError;
pub use files::{CamDir, Figure};
pub use folder::RunDir;
pub use gallery::{GalleryImages, PICTURE_BYTES, PICTURE_SIDE, PictureSet};
pub use hash::{sha256_bytes, sha256_chunks, sha256_file, sha256_folder};
pub use jiff::Timestamp;
pub use json::{read_json, read_text, write_json};
pub use machine::{InstructionSet, Machine, git_revision, machine};
pub use manifest::{DatasetRecord, Manifest, Status};
pub use measured::MeasuredRow;
pub use norms::{Norms, ParameterNorms};
pub use numbers::grouped;
pub use predictions::{PredictionRow, Predictions};
pub use rows::{
    EpochRow, LrFinderLoss, LrFinderReport, LrFinderRow, LrFinderSettings, NormRow, Ordered, PerClassRow,
    Row, StepRow, Suggestion, TimingRow,
};
pub use stage::{Input, STAGES, StageRecord, StageState};
pub use table::{Cut, append_rows, cut_rows_after, parse_rows, read_rows, write_rows};
pub use write::{create_parent, write_atomic, write_atomic_by_path, write_atomic_with};
