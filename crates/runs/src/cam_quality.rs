use serde::{Deserialize, Serialize};

use crate::Row;

/// How well a method's maps explain some images, in `cam/quality.csv`. Scores are probabilities of the class explained; each figure is a
/// mean over the images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CamQualityRow {
    /// Which images: `misclassified`, `correct` or `chosen`.
    pub images: String,
    /// How many of them.
    pub count: usize,
    /// The method, as in its folder's name; `random` for random maps, which every method has to beat.
    pub method: String,
    /// The layers whose activations are used, joined by `+`; empty for random maps.
    pub layer: String,
    /// Images whose map says nothing.
    pub flat: usize,
    /// Area below the deletion curve; small is good.
    pub deletion: f64,
    /// Area below the insertion curve; large is good.
    pub insertion: f64,
    /// ROAD's change of the score without the most relevant pixels; low is good.
    pub road_most: f64,
    /// ROAD's change of the score without the least relevant pixels; high is good.
    pub road_least: f64,
    /// Half of the latter less the former; high is good.
    pub road: f64,
    /// Average drop of the score once only what the map shows is left, a fraction; small is good.
    pub average_drop: f64,
    /// Fraction of the images whose score is higher then; large is good.
    pub increase: f64,
}

impl CamQualityRow {
    /// What the method of random maps is called.
    pub const RANDOM: &'static str = "random";
}

impl Row for CamQualityRow {
    const COLUMNS: &'static [&'static str] = &[
        "images",
        "count",
        "method",
        "layer",
        "flat",
        "deletion",
        "insertion",
        "road_most",
        "road_least",
        "road",
        "average_drop",
        "increase",
    ];
}
