use std::fs;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use serde::{Deserialize, Serialize};

use crate::table::{bad_row, text};
use crate::{Row, RunsError};

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
    #[serde(default)]
    pub against: Option<usize>,
    /// The method, as in the folder's name.
    pub method: String,
    /// The layer whose activations are used, several that are averaged joined by `+`; [`INPUT`](Self::INPUT) where the map is of the
    /// image's own pixels.
    pub layer: String,
    /// How it was smoothed.
    #[serde(default)]
    pub smoothing: CamSmoothing,
    /// What it holds.
    #[serde(default)]
    pub status: CamStatus,
    /// The colour map that it was drawn in, by its name; empty where that was not written yet.
    #[serde(default)]
    pub colormap: Option<String>,
    /// How its colours and the photo's met in overlays, by its name; empty where that was not written yet.
    #[serde(default)]
    pub blend: Option<String>,
}

impl CamIndexRow {
    /// What stands for a layer where a method looks at the image itself.
    pub const INPUT: &'static str = "input";
    /// Columns that came later: in an index of before, a row is of no other class, not smoothed, and normal.
    const LATER: [&'static str; 5] = ["against", "smoothing", "status", "colormap", "blend"];

    /// Reads an index, also one of before some of its columns were written: they are found by their names.
    ///
    /// # Errors
    /// [`RunsError::Missing`] or [`RunsError::Io`] where it cannot be read, [`RunsError::Columns`] where it lacks a column that was always
    /// written, [`RunsError::Row`] where a line is no such record.
    pub fn read(path: &Path) -> Result<Vec<Self>, RunsError> {
        let bytes = fs::read(path).map_err(RunsError::io("read", path))?;
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes.as_slice());
        let (mut header, mut record) = (ByteRecord::new(), ByteRecord::new());
        // Reading bytes from memory cannot fail.
        let mut next = |record: &mut ByteRecord| matches!(reader.read_byte_record(record), Ok(true));
        next(&mut header);
        let needed = Self::COLUMNS.iter().filter(|column| !Self::LATER.contains(column)).copied();
        let needed: Vec<&str> = needed.collect();
        if !needed.iter().all(|column| header.iter().any(|name| name == column.as_bytes())) {
            let (expected, got) = (needed.join(","), text(&header));
            return Err(RunsError::Columns { path: path.to_owned(), expected, got });
        }
        let mut rows = Vec::new();
        while next(&mut record) {
            let line = record.position().map_or(0, csv::Position::line);
            let row = match record.len() == header.len() {
                true => record.deserialize(Some(&header)).map_err(|error| error.to_string()),
                false => Err(format!("{} fields instead of {}", record.len(), header.len())),
            };
            rows.push(row.map_err(|reason| bad_row::<Self>(path, line, &record, &reason))?);
        }
        Ok(rows)
    }
}

/// How a class activation map was smoothed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CamSmoothing {
    /// It was not.
    #[default]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CamStatus {
    /// Some places speak for the target more than others.
    #[default]
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
        "colormap",
        "blend",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_whether_or_not_there_are_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.csv");
        let of = |text: &str| {
            fs::write(&path, text).unwrap();
            CamIndexRow::read(&path).map_err(|error| error.to_string())
        };
        let before = CamIndexRow {
            row: 1,
            index: Some(9),
            truth: Some(6),
            predicted: 2,
            probability: 0.3,
            target: Some(2),
            against: None,
            method: "gradcam".to_owned(),
            layer: "layer4".to_owned(),
            smoothing: CamSmoothing::None,
            status: CamStatus::Normal,
            colormap: None,
            blend: None,
        };
        let header = "row,index,true,predicted,probability,target,method,layer\n";
        let text = format!("{header}1,9,6,2,0.3,2,gradcam,layer4\n");
        assert_eq!(of(&text).unwrap(), std::slice::from_ref(&before));
        let after = CamIndexRow {
            against: Some(5),
            smoothing: CamSmoothing::Eigen,
            status: CamStatus::AllNegative,
            colormap: Some("jet".to_owned()),
            blend: Some("even".to_owned()),
            ..before
        };
        let all = format!("{},of_later\n", CamIndexRow::COLUMNS.join(","));
        let text = format!("{all}1,9,6,2,0.3,2,5,gradcam,layer4,eigen,all_negative,jet,even,x\n");
        assert_eq!(of(&text).unwrap(), [after]);
        let said = of("row,index,true,predicted,probability,target,method\n").unwrap_err();
        assert!(said.contains("expected the columns") && said.contains("method,layer`, got `row,"), "{said}");
        let said = of(&format!("{header}x,9,6,2,0.3,2,gradcam,layer4\n")).unwrap_err();
        assert!(said.contains("line 2") && said.contains("`x,9,6"), "{said}");
        let said = of(&format!("{header}1,9,6,2,0.3\n")).unwrap_err();
        assert!(said.ends_with("5 fields instead of 8"), "{said}");
        assert!(CamIndexRow::read(&folder.path().join("none.csv")).unwrap_err().is_missing());
    }
}
