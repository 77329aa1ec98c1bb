//! Event files that [TensorBoard](https://www.tensorflow.org/tensorboard) reads: scalars, images, histograms,
//! hyperparameters and text.
//!
//! ```
//! use wick_tensorboard::{EventWriter, Histogram, Options};
//!
//! # let scratch = tempfile::tempdir()?;
//! # let folder = scratch.path();
//! let mut events = EventWriter::create(folder, Options::default())?;
//! events.scalar("loss/train", 1, 2.3)?;
//! events.histogram("weights/conv1.weight", 1, &Histogram::new(&[-0.1, 0.0, 0.2])?)?;
//! events.flush()?;
//! drop(events); // interrupted after step 100, with a checkpoint of step 80
//!
//! let mut events = EventWriter::resume(folder, 81, Options::default())?;
//! events.scalar("loss/train", 81, 1.9)?; // TensorBoard forgets what the first file says of step 81 and later ones
//! events.flush()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod hparams;
mod name;
mod proto;
mod record;
mod values;
mod writer;

pub use error::TensorBoardError;
pub use hparams::{HParam, HParams, Metric, SessionStatus, Split};
pub use name::event_files;
pub use values::{BUCKETS, Histogram, Image};
pub use writer::{Clock, EventWriter, Options};
