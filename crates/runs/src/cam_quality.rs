use serde::{Deserialize, Serialize};

use crate::{CamIndexRow, Row};

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
    /// The layer whose activations are used, as in [`CamIndexRow`](crate::CamIndexRow); empty for random maps.
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

    /// The layer that all of `rows` are of, but those that look at the image itself or at nothing; none where they are of several.
    pub fn common_layer(rows: &[Self]) -> Option<&str> {
        let mut layers = rows.iter().map(|row| row.layer.as_str()).filter(|layer| is_layer(layer));
        let first = layers.next()?;
        layers.all(|layer| layer == first).then_some(first)
    }
}

fn is_layer(name: &str) -> bool {
    !name.is_empty() && name != CamIndexRow::INPUT
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_common_where_no_other_is_looked_at() {
        let row = |method: &str, layer: &str| CamQualityRow {
            images: "correct".to_owned(),
            count: 1,
            method: method.to_owned(),
            layer: layer.to_owned(),
            flat: 0,
            deletion: 0.0,
            insertion: 0.0,
            road_most: 0.0,
            road_least: 0.0,
            road: 0.0,
            average_drop: 0.0,
            increase: 0.0,
        };
        let random = row(CamQualityRow::RANDOM, "");
        let (three, four) = (row("gradcam", "layer3"), row("gradcam", "layer4"));
        let input = row("guided-backprop", CamIndexRow::INPUT);
        let common = |rows: &[&CamQualityRow]| {
            let rows: Vec<CamQualityRow> = rows.iter().map(|&row| row.clone()).collect();
            CamQualityRow::common_layer(&rows).map(str::to_owned)
        };
        assert_eq!(common(&[&four, &input, &four, &random]).as_deref(), Some("layer4"));
        assert_eq!(common(&[&four, &three, &random]), None);
        assert_eq!(common(&[&input, &random]), None);
    }
}
