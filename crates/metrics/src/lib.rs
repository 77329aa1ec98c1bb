//! Accuracy, confusion, calibration and paired comparison from plain slices.
//!
//! Classes are numbered from 0. Scores and probabilities of `n` samples are one slice, `(n, classes)`, row by row.
//! Accuracies are fractions.
//!
//! ```
//! use wick_metrics::{ConfusionMatrix, accuracy, argmax, misclassified, Order};
//!
//! let truth = [0, 1, 2, 2];
//! let probabilities = [
//!     0.8, 0.1, 0.1, // 0: right
//!     0.6, 0.3, 0.1, // 1, taken for 0
//!     0.1, 0.2, 0.7, // 2: right
//!     0.0, 0.9, 0.1, // 2, taken for 1
//! ];
//! let predicted = argmax(&probabilities, 3)?;
//! assert_eq!(accuracy(&truth, &predicted)?, 0.5);
//!
//! let confusion = ConfusionMatrix::new(3, &truth, &predicted)?;
//! assert_eq!(confusion.recall(2), Some(0.5));
//!
//! let worst = misclassified(&truth, &probabilities, 3, Order::MostConfident)?;
//! assert_eq!((worst[0].index, worst[0].predicted), (3, 1));
//! # Ok::<(), wick_metrics::MetricsError>(())
//! ```

mod accuracy;
mod calibration;
mod confusion;
mod error;
mod misclassified;
mod paired;
mod statistics;
mod student;

pub use accuracy::{accuracy, argmax, top_k_accuracy};
pub use calibration::{Bin, Calibration};
pub use confusion::ConfusionMatrix;
pub use error::MetricsError;
pub use misclassified::{Mistake, Order, misclassified};
pub use paired::{Interval, PairedComparison};
pub use statistics::{mean, standard_deviation};
pub use student::{student_t_cdf, student_t_quantile};
