//! The files in a run's subfolders: pictures and class activation maps.

use std::path::{Path, PathBuf};

/// The folder of one class activation method: `cam/<method>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CamDir {
    path: PathBuf,
}

/// The pictures of a run, each a PNG in `figures/`; a chart is an SVG too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Figure {
    /// Loss and accuracy over the epochs.
    Curves,
    /// Loss over the learning rate, with each rule's suggestion.
    LrFinder,
    /// Learning rate and momentum over the steps.
    LrSchedule,
    /// Training images before and after the transforms.
    Augmentations,
    /// The confusion matrix.
    Confusion,
    /// Test images the network got wrong.
    Misclassified,
    /// Test images the network got right by the least.
    Unsure,
    /// The first convolution's filters.
    Filters,
    /// Accuracy of each class.
    PerClass,
    /// Accuracy over confidence.
    Reliability,
    /// Norms of the weights and of their gradients over the steps.
    Norms,
}

impl Figure {
    /// Every figure.
    pub const ALL: [Figure; 11] = [
        Figure::Curves,
        Figure::LrFinder,
        Figure::LrSchedule,
        Figure::Augmentations,
        Figure::Confusion,
        Figure::Misclassified,
        Figure::Unsure,
        Figure::Filters,
        Figure::PerClass,
        Figure::Reliability,
        Figure::Norms,
    ];

    /// Those that are charts, and so an SVG too.
    pub const CHARTS: [Figure; 6] = [
        Figure::Curves,
        Figure::LrFinder,
        Figure::LrSchedule,
        Figure::PerClass,
        Figure::Reliability,
        Figure::Norms,
    ];

    /// What it is called: `lr_finder`.
    pub fn name(self) -> &'static str {
        self.file_name().trim_end_matches(".png")
    }

    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Figure::Curves => "curves.png",
            Figure::LrFinder => "lr_finder.png",
            Figure::LrSchedule => "lr_schedule.png",
            Figure::Augmentations => "augmentations.png",
            Figure::Confusion => "confusion.png",
            Figure::Misclassified => "misclassified.png",
            Figure::Unsure => "unsure.png",
            Figure::Filters => "filters.png",
            Figure::PerClass => "per_class.png",
            Figure::Reliability => "reliability.png",
            Figure::Norms => "norms.png",
        }
    }
}

impl CamDir {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// [`CamIndexRow`](crate::CamIndexRow)s: which image each map belongs to.
    pub fn index(&self) -> PathBuf {
        self.path.join("index.csv")
    }

    /// `heatmap`, the maps as they are drawn, one for each row of the index: `(N, H, W)`, from 0 to 1, of the images' size. `raw`, the
    /// same `(N, h, w)` before ReLU, upsampling and scaling; of several layers, side by side or averaged, each one's are called
    /// after it, one an image.
    pub fn raw(&self) -> PathBuf {
        self.path.join("raw.safetensors")
    }

    /// Image, heat map and overlay of each, several layers side by side.
    pub fn grid(&self) -> PathBuf {
        self.path.join("grid.png")
    }

    /// The mean map over the images of each class.
    pub fn classes(&self) -> PathBuf {
        self.path.join("classes.png")
    }
}
