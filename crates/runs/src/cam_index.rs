use serde::{Deserialize, Serialize};

use crate::Row;

/// Which image and which target a class activation map belongs to, how it was made and what it holds, in
/// `cam/<method>/index.csv`. Where a method looked at several layers side by side, each image has a row for each of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CamIndexRow {
    /// Row in the tensor `heatmap` of `raw.safetensors`.
    pub row: usize,
    /// Index in the test split; empty for an image from elsewhere.
    pub index: Option<usize>,
    /// The true class; empty where it is not known.
    #[serde(rename = "true")]
    pub truth: Option<usize>,
    /// The class the network predicts.
    pub predicted: usize,
    /// The probability of that prediction.
    pub probability: f32,
    /// The class that is explained; empty where the method asks for none.
    pub target: Option<usize>,
    /// The class that it is told from, where the difference of two is explained.
    pub against: Option<usize>,
    /// The method, as in the folder's name.
    pub method: String,
    /// The layer whose activations are used, several that are averaged joined by `+`; [`INPUT`](Self::INPUT) where the map is of the
    /// image's own pixels.
    pub layer: String,
    /// How it was smoothed.
    pub smoothing: CamSmoothing,
    /// What it holds.
    pub status: CamStatus,
}

impl CamIndexRow {
    /// What stands for a layer where a method looks at the image itself.
    pub const INPUT: &'static str = "input";
}

/// How a class activation map was smoothed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CamSmoothing {
    /// It was not.
    #[serde(rename = "none")]
    None,
    /// Over altered copies of the image.
    #[serde(rename = "augment")]
    Augment,
    /// By the first principal component.
    #[serde(rename = "eigen")]
    Eigen,
    /// In both ways.
    #[serde(rename = "augment+eigen")]
    AugmentEigen,
}

/// What a class activation map holds: whether there is anything to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CamStatus {
    /// Some places speak for the target more than others.
    Normal,
    /// No place speaks for the target, some speak against it.
    AllNegative,
    /// All places speak for the target alike.
    Constant,
    /// Nothing speaks for or against the target.
    Empty,
}

impl Row for CamIndexRow {
    const COLUMNS: &'static [&'static str] = &[
        "row",
        "index",
        "true",
        "predicted",
        "probability",
        "target",
        "against",
        "method",
        "layer",
        "smoothing",
        "status",
    ];
}
