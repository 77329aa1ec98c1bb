//! What `index.csv` tells of each map.

use std::path::Path;

use csv::ReaderBuilder;
use serde::Deserialize;
use wick_runs::{CamIndexRow, CamStatus};

use crate::ReportError;

/// A map's line, as far as the page tells it. Columns are found by their names: files of before a column was written go on
/// without it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct MapRow {
    /// Its place among the maps.
    pub row: usize,
    /// The image's index in the split that judges; none for an image from elsewhere.
    pub index: Option<usize>,
    /// The class the explained network predicts.
    pub predicted: usize,
    /// The class that is explained; none where the method asks for none.
    pub target: Option<usize>,
    /// The class that it is told from, where the difference of two is explained.
    pub against: Option<usize>,
    /// The layer whose activations are used, several that are averaged joined by `+`; `input` where the map is of the image's own
    /// pixels.
    pub layer: String,
    /// How it was smoothed: `none`, `augment`, `eigen`, `augment+eigen`.
    pub smoothing: Option<String>,
    /// What it holds.
    pub status: Option<CamStatus>,
}

impl MapRow {
    /// What is explained, as far as the method asks for a class: ` for cat`, ` for cat rather than dog`.
    pub(crate) fn target(&self, name: &impl Fn(usize) -> String) -> String {
        match (self.target, self.against) {
            (None, _) => String::new(),
            (Some(of), None) => format!(" for {}", name(of)),
            (Some(of), Some(against)) => format!(" for {} rather than {}", name(of), name(against)),
        }
    }

    /// Where the method looked, within a sentence.
    pub(crate) fn place(&self) -> String {
        place(&self.layer)
    }
}

/// A layer's name within a sentence.
pub(crate) fn place(layer: &str) -> String {
    if layer == CamIndexRow::INPUT { "the input".to_owned() } else { layer.replace('+', " and ") }
}

/// The columns without which a line tells nothing.
const NEEDED: [&str; 5] = ["row", "index", "predicted", "target", "layer"];

/// Every line of `index.csv`.
pub(super) fn read(path: &Path) -> Result<Vec<MapRow>, ReportError> {
    let text = wick_runs::read_text(path)?;
    let unfit = |got: String| ReportError::Unfit {
        path: path.to_owned(),
        expected: format!("a table with at least the columns {}", NEEDED.join(", ")),
        got,
        stage: "gradcam",
    };
    let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| unfit(e.to_string()))?.clone();
    if let Some(missing) = NEEDED.iter().find(|name| !header.iter().any(|column| column == **name)) {
        return Err(unfit(format!("`{}`, without {missing}", header.iter().collect::<Vec<_>>().join(","))));
    }
    reader.deserialize().map(|row| row.map_err(|e| unfit(e.to_string()))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn columns_are_found_by_name_whether_or_not_there_are_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.csv");
        let of = |text: &str| {
            fs::write(&path, text).unwrap();
            read(&path).map_err(|error| error.to_string())
        };
        let before = MapRow {
            row: 1,
            index: Some(9),
            predicted: 2,
            target: Some(2),
            layer: "layer4".to_owned(),
            ..MapRow::default()
        };
        let text = "row,index,true,predicted,probability,target,method,layer\n1,9,6,2,0.3,2,gradcam,layer4\n";
        assert_eq!(of(text).unwrap(), std::slice::from_ref(&before));
        let after = MapRow {
            against: Some(5),
            smoothing: Some("eigen".to_owned()),
            status: Some(CamStatus::AllNegative),
            ..before
        };
        let text = "row,index,true,predicted,probability,target,against,method,layer,smoothing,status\n\
                    1,9,6,2,0.3,2,5,gradcam,layer4,eigen,all_negative\n";
        assert_eq!(of(text).unwrap(), [after]);
        let said = of("row,index,predicted,target\n").unwrap_err();
        assert!(said.contains("without layer") && said.contains("`gradcam` writes it anew"), "{said}");
        let said = of("row,index,predicted,target,layer\nx,9,2,2,layer4\n").unwrap_err();
        assert!(said.contains("index.csv") && said.contains("row"), "{said}");
    }

    #[test]
    fn a_map_is_of_a_class_where_its_method_asks_for_one() {
        let name = |class: usize| ["cat", "dog"][class].to_owned();
        let row = MapRow { target: Some(0), layer: "layer3+layer4".to_owned(), ..MapRow::default() };
        assert_eq!((row.target(&name).as_str(), row.place().as_str()), (" for cat", "layer3 and layer4"));
        assert_eq!(MapRow { against: Some(1), ..row }.target(&name), " for cat rather than dog");
        let own = MapRow { layer: "input".to_owned(), ..MapRow::default() };
        assert_eq!((own.target(&name).as_str(), own.place().as_str()), ("", "the input"));
    }
}
