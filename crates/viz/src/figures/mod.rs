//! The figures, one a file.

mod augmentations;
mod cam_grid;
mod caption;
mod comparison;
mod confusion;
mod curves;
mod headline;
mod lr_finder;
mod lr_schedule;
mod misclassified;

use headline::headline;

pub use augmentations::{AugmentationRow, AugmentationsOptions, augmentations};
pub use cam_grid::{CamCase, CamGridOptions, ColorBar, cam_grid};
pub use comparison::{ComparedRuns, ComparisonOptions, comparison};
pub use confusion::{ConfusionOptions, confusion};
pub use curves::{Curves, CurvesOptions, LossScale, curves};
pub use lr_finder::{LrFinder, LrFinderOptions, Suggestion, lr_finder};
pub use lr_schedule::{LrSchedule, LrScheduleOptions, lr_schedule};
pub use misclassified::{GalleryOptions, Mistake, Order, misclassified};
