//! Pictures from plain slices: curves, galleries, overlays, matrices. Every figure is a function of its data and an options struct with
//! defaults. One of photos returns an [`RgbImage`], which [`save_png`] writes; one of lines and bars a [`Chart`], which becomes either
//! such an image or an SVG.
//!
//! ```
//! use wick_viz::{LrSchedule, LrScheduleOptions, SvgOptions, Theme, lr_schedule};
//!
//! let lr: Vec<f64> = (0..100).map(|step| 0.1 * (1.0 - f64::from(step) / 100.0)).collect();
//! let chart = lr_schedule(&LrSchedule { lr: &lr, momentum: &[] }, &LrScheduleOptions::default())?;
//! assert_eq!(chart.png(Theme::Dark)?.width(), 960);
//! assert!(chart.svg(&SvgOptions::default()).starts_with("<svg"));
//! # Ok::<(), wick_viz::VizError>(())
//! ```
//!
//! Text is drawn in a font that is built in. Text is at least 12 pixels high, and names too long for their place end in "…".

mod chart;
mod colour;
mod error;
mod figures;
mod files;
mod format;
mod heat;
mod photo;
mod sheet;
mod text;

pub use chart::{Chart, SvgOptions};
pub use colour::{Colormap, Theme};
pub use error::VizError;
pub use figures::{
    AugmentationRow, AugmentationsOptions, CamCase, CamComparisonOptions, CamGridOptions, CamGroup,
    ClassAccuracy, ClassCam, ClassCamsOptions, ClassOrder, CloseCall, ColorBar, ComparedCams, ComparedRuns,
    ComparisonOptions, ConfusionOptions, Curves, CurvesOptions, FilterLayout, FilterScale, Filters,
    FiltersOptions, GalleryOptions, LayerNorms, LossScale, LrFinder, LrFinderOptions, LrSchedule,
    LrScheduleOptions, Mistake, Norms, NormsOptions, Order, ParameterNorms, PerClassOptions, Reliability,
    ReliabilityBin, ReliabilityOptions, Suggestion, augmentations, cam_comparison, cam_grid, class_cams,
    comparison, confusion, curves, filters, layer_norms, lr_finder, lr_schedule, misclassified, norms,
    per_class, reliability, unsure,
};
pub use files::{read_image, save_png, save_svg};
pub use heat::{Blend, HeatMap, OverlayOptions, Range, Scaled, heatmap, min_max, overlay};
pub use image::{self, RgbImage};
pub use photo::{Fit, Photo, Size, denormalize, enlarge, fit};

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
