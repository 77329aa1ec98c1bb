//! The figures, one a file.

mod augmentations;
mod cam_comparison;
mod cam_grid;
mod caption;
mod class_cams;
mod color_bar;
mod comparison;
mod confusion;
mod curves;
mod filters;
mod gallery;
mod headline;
mod look;
mod lr_finder;
mod lr_schedule;
mod misclassified;
mod norms;
mod per_class;
mod reliability;
mod unsure;

use headline::headline;

pub use augmentations::{AugmentationRow, AugmentationsOptions, augmentations};
pub use cam_comparison::{CamComparisonOptions, CamGroup, ComparedCams, cam_comparison};
pub use cam_grid::{CamCase, CamGridOptions, cam_grid};
pub use class_cams::{ClassCam, ClassCamsOptions, class_cams};
pub use color_bar::ColorBar;
pub use comparison::{ComparedRuns, ComparisonOptions, comparison};
pub use confusion::{ConfusionOptions, confusion};
pub use curves::{Curves, CurvesOptions, LossScale, curves};
pub use filters::{FilterLayout, FilterScale, Filters, FiltersOptions, filters};
pub use gallery::{GalleryOptions, Order};
pub use lr_finder::{LrFinder, LrFinderOptions, Suggestion, lr_finder};
pub use lr_schedule::{LrSchedule, LrScheduleOptions, lr_schedule};
pub use misclassified::{Mistake, misclassified};
pub use norms::{LayerNorms, Norms, NormsOptions, ParameterNorms, layer_norms, norms};
pub use per_class::{ClassAccuracy, ClassOrder, PerClassOptions, per_class};
pub use reliability::{Reliability, ReliabilityBin, ReliabilityOptions, reliability};
pub use unsure::{CloseCall, unsure};
