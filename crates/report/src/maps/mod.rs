//! Class activation maps as a run keeps them, ready to be laid over their images.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use safetensors::{Dtype, SafeTensors};
use wick_runs::{CamIndexRow, Manifest, RunDir};
use wick_viz::{HeatMap, OverlayOptions, min_max};

use crate::ReportError;

mod colours;
mod origin;
mod row;
mod weights;

pub(crate) use colours::{Legend, legends};
pub(crate) use origin::{Origin, origins, weights as weights_in_words};
pub(crate) use row::{place as layer_place, target};
pub(crate) use weights::Weights;

/// The maps of one method at one layer.
pub(crate) struct Maps {
    /// The method as its authors write it.
    pub method: String,
    /// The same with the layer, where there are several.
    pub name: String,
    /// What the run's own pictures of them are drawn in.
    pub overlay: OverlayOptions,
    /// What the network explained was loaded from.
    weights: Weights,
    /// By the image's index in the split that judges.
    rows: BTreeMap<usize, CamIndexRow>,
    /// `(N, height, width)`
    raw: Rc<[f32]>,
    size: (usize, usize),
}

/// A map from 0 to 1, or why there is none to draw.
pub(crate) enum Map {
    Drawn(Vec<f32>),
    /// No place speaks for the class more than others.
    Flat,
}

impl Maps {
    /// Those of every method that has run.
    pub(crate) fn all(run: &RunDir, manifest: Option<&Manifest>) -> Result<Vec<Self>, ReportError> {
        let mut all = Vec::new();
        for method in run.cams()? {
            let folder = run.cam(&method)?;
            if folder.index().exists() && folder.raw().exists() {
                let weights = Weights::of_maps(run, manifest, &folder)?;
                all.extend(Self::read(&method, weights, &folder.index(), &folder.raw())?);
            }
        }
        Ok(all)
    }

    /// Those of each layer, in the order of the index.
    fn read(method: &str, weights: Weights, index: &Path, raw: &Path) -> Result<Vec<Self>, ReportError> {
        let rows = CamIndexRow::read(index)?;
        let unfit = |got: String| ReportError::Unfit {
            path: raw.to_owned(),
            expected: format!(
                "a tensor `heatmap` or `raw` of F32, one map for each of the {} rows of its index",
                rows.len()
            ),
            got,
            stage: "gradcam",
        };
        if let Some(row) = rows.iter().map(|row| row.row).find(|row| *row >= rows.len()) {
            return Err(unfit(format!("an index that names map {row}, counted from 0")));
        }
        let bytes = fs::read(raw).map_err(|e| unfit(e.to_string()))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| unfit(e.to_string()))?;
        // As they were drawn, where the file has that too.
        let tensor = file.tensor("heatmap").or_else(|_| file.tensor("raw"));
        let tensor = tensor.map_err(|e| unfit(e.to_string()))?;
        let size = match tensor.shape() {
            _ if rows.is_empty() => (0, 0),
            &[n, height, width] if tensor.dtype() == Dtype::F32 && n == rows.len() => (height, width),
            shape => return Err(unfit(format!("{:?} of shape {shape:?}", tensor.dtype()))),
        };
        let raw: Rc<[f32]> =
            tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        let mut layers: Vec<&str> = Vec::new();
        for row in &rows {
            if !layers.contains(&row.layer.as_str()) {
                layers.push(&row.layer);
            }
        }
        let overlay = colours::of(&rows, index)?;
        let of_layer = |layer: &&str| {
            let rows = rows.iter().filter(|row| row.layer == *layer);
            let by_image = rows.filter_map(|row| Some((row.index?, row.clone()))).collect();
            let method = proper_name(method);
            let name = match layers.len() {
                1 => method.clone(),
                _ => format!("{method} at {}", row::place(layer)),
            };
            Self { method, name, overlay, weights, rows: by_image, raw: Rc::clone(&raw), size }
        };
        Ok(layers.iter().map(of_layer).collect())
    }

    /// What is known of an image's map.
    pub(crate) fn row(&self, image: usize) -> Option<&CamIndexRow> {
        self.rows.get(&image)
    }

    /// The map of a row at `side` × `side`, in pytorch-grad-cam's order: negative values to 0, scaled to 0..=1, enlarged, scaled
    /// again.
    pub(crate) fn map(&self, row: &CamIndexRow, side: usize) -> Result<Map, ReportError> {
        let (height, width) = self.size;
        let Some(raw) = self.raw.chunks_exact((height * width).max(1)).nth(row.row) else {
            return Ok(Map::Flat);
        };
        let positive: Vec<f32> = raw.iter().map(|v| v.max(0.0)).collect();
        let scaled = min_max(&positive);
        if let wick_viz::Range::Flat(_) = scaled.range {
            return Ok(Map::Flat);
        }
        let enlarged = HeatMap::new(&scaled.values, height, width)?.resized(side, side)?;
        Ok(Map::Drawn(min_max(&enlarged).values))
    }
}

/// In which part of the picture a square map is greatest: `upper left`, `middle`.
pub(crate) fn strongest(map: &[f32], side: usize) -> &'static str {
    let greatest = map.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
    let third = |v: usize| (3 * v / side.max(1)).min(2);
    let parts = [
        ["upper left", "top", "upper right"],
        ["left", "middle", "right"],
        ["lower left", "bottom", "lower right"],
    ];
    parts[third(greatest / side.max(1))][third(greatest % side.max(1))]
}

/// A method's name from that of its folder.
pub(crate) fn proper_name(folder: &str) -> String {
    let name = match folder {
        "gradcam" => "Grad-CAM",
        "gradcam++" => "Grad-CAM++",
        "hirescam" => "HiResCAM",
        "xgradcam" => "XGrad-CAM",
        "layercam" => "LayerCAM",
        "eigencam" => "Eigen-CAM",
        "eigengradcam" => "EigenGrad-CAM",
        "scorecam" => "Score-CAM",
        "ablationcam" => "Ablation-CAM",
        "guided-backprop" => "Guided backpropagation",
        "guided-gradcam" => "Guided Grad-CAM",
        _ => folder,
    };
    name.to_owned()
}

/// The line of some map.
#[cfg(test)]
fn a_row(row: usize) -> CamIndexRow {
    CamIndexRow {
        row,
        index: None,
        truth: None,
        predicted: 0,
        probability: 0.5,
        target: None,
        against: None,
        method: "gradcam".to_owned(),
        layer: "layer4".to_owned(),
        smoothing: wick_runs::CamSmoothing::None,
        status: wick_runs::CamStatus::Normal,
        colormap: None,
        blend: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps(raw: &[f32]) -> Maps {
        Maps {
            method: String::new(),
            name: String::new(),
            overlay: OverlayOptions::default(),
            weights: Weights::Unknown,
            rows: BTreeMap::new(),
            raw: raw.into(),
            size: (2, 2),
        }
    }

    /// By hand: (−1, 1, 3, 2) is cut to (0, 1, 3, 2), scaled to (0, ⅓, 1, ⅔), and 2×2 again.
    #[test]
    fn maps_are_cut_scaled_and_enlarged() {
        let maps = maps(&[-1.0, 1.0, 3.0, 2.0, -1.0, -2.0, -3.0, -4.0]);
        let Map::Drawn(map) = maps.map(&a_row(0), 2).unwrap() else { panic!("flat") };
        for (got, expected) in map.iter().zip([0.0, 1.0 / 3.0, 1.0, 2.0 / 3.0]) {
            assert!((got - expected).abs() < 1e-6, "{map:?}"); // a few roundings of f32
        }
        let Map::Drawn(map) = maps.map(&a_row(0), 4).unwrap() else { panic!("flat") };
        assert_eq!((map[0], map[12]), (0.0, 1.0));
        assert!(matches!(maps.map(&a_row(1), 4).unwrap(), Map::Flat), "nowhere positive");
        assert!(matches!(maps.map(&a_row(9), 4).unwrap(), Map::Flat), "no such row");
    }

    #[test]
    fn the_strongest_part_is_named() {
        let mut map = vec![0.0; 81];
        map[9 * 8 + 1] = 1.0;
        assert_eq!(strongest(&map, 9), "lower left");
        map[9 * 4 + 4] = 2.0;
        assert_eq!(strongest(&map, 9), "middle");
    }

    #[test]
    fn methods_have_their_names() {
        let named = ["gradcam", "gradcam++", "guided-backprop", "my-own"].map(proper_name);
        assert_eq!(named, ["Grad-CAM", "Grad-CAM++", "Guided backpropagation", "my-own"]);
    }
}
