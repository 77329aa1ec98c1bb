//! `predictions.csv`: what the network says of each test image.

use std::fs;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use crate::table::{finish, text, unwritable, writer};
use crate::{RunsError, write_atomic};

/// The network's prediction for one image.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionRow {
    /// Index in the test split.
    pub index: usize,
    /// The true class.
    pub truth: usize,
    /// The predicted class.
    pub predicted: usize,
    /// A probability for each class.
    pub probabilities: Vec<f32>,
}

/// The network's predictions for many images: columns `index, true, predicted`, then one named after each class.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// The classes' names.
    pub class_names: Vec<String>,
    /// One row an image.
    pub rows: Vec<PredictionRow>,
}

const FIRST: [&str; 3] = ["index", "true", "predicted"];

impl Predictions {
    /// Writes the file.
    ///
    /// # Errors
    /// [`RunsError::Record`] where a row has more or fewer probabilities than there are classes, or a class beyond
    /// them; [`RunsError::Io`] where it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RunsError> {
        let mut writer = writer();
        let unwritable = |error: csv::Error| unwritable(path, &error.to_string());
        let header = FIRST.into_iter().chain(self.class_names.iter().map(String::as_str));
        writer.write_record(header).map_err(unwritable)?;
        for row in &self.rows {
            check(row, self.class_names.len()).map_err(|reason| RunsError::Record {
                path: path.to_owned(),
                expected: format!("rows for {} classes", self.class_names.len()),
                got: format!("one for image {} with {reason}", row.index),
            })?;
            writer
                .serialize((row.index, row.truth, row.predicted, row.probabilities.as_slice()))
                .map_err(unwritable)?;
        }
        write_atomic(path, &finish(path, writer)?)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`RunsError::Missing`] or [`RunsError::Io`] where it cannot be read, [`RunsError::Columns`] where the header is
    /// another's, [`RunsError::Row`] where a line does not fit it.
    pub fn read(path: &Path) -> Result<Self, RunsError> {
        let bytes = fs::read(path).map_err(RunsError::io("read", path))?;
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes.as_slice());
        let mut record = ByteRecord::new();
        let mut next = |record: &mut ByteRecord| {
            // Reading bytes from memory cannot fail.
            matches!(reader.read_byte_record(record), Ok(true)).then(|| reader.position().line() - 1)
        };
        next(&mut record);
        let header: Vec<String> = record.iter().map(|name| String::from_utf8_lossy(name).into()).collect();
        let expected = || format!("{},<class>,<class>,…", FIRST.join(","));
        let Some(class_names) =
            header.strip_prefix(&FIRST.map(String::from)).filter(|names| !names.is_empty())
        else {
            return Err(RunsError::Columns {
                path: path.to_owned(),
                expected: expected(),
                got: text(&record),
            });
        };
        let mut rows = Vec::new();
        while let Some(line) = next(&mut record) {
            let row = parse(&record, class_names.len()).map_err(|reason| RunsError::Row {
                path: path.to_owned(),
                line,
                expected: header.join(","),
                got: text(&record),
                reason,
            })?;
            rows.push(row);
        }
        Ok(Self { class_names: class_names.to_vec(), rows })
    }

    /// The rows whose prediction is wrong.
    pub fn wrong(&self) -> impl Iterator<Item = &PredictionRow> {
        self.rows.iter().filter(|row| !row.is_right())
    }
}

impl PredictionRow {
    /// Whether the network takes the image for what it is.
    pub fn is_right(&self) -> bool {
        self.truth == self.predicted
    }

    /// The probability the network gives to its prediction.
    pub fn confidence(&self) -> f32 {
        self.probabilities.get(self.predicted).copied().unwrap_or(f32::NAN)
    }
}

fn parse(record: &ByteRecord, classes: usize) -> Result<PredictionRow, String> {
    if record.len() != FIRST.len() + classes {
        return Err(format!("{} fields instead of {}", record.len(), FIRST.len() + classes));
    }
    let row = PredictionRow {
        index: field(record, 0)?,
        truth: field(record, 1)?,
        predicted: field(record, 2)?,
        probabilities: (3..record.len()).map(|i| field(record, i)).collect::<Result<_, _>>()?,
    };
    check(&row, classes).map(|()| row)
}

fn field<T: std::str::FromStr>(record: &ByteRecord, index: usize) -> Result<T, String> {
    let field = String::from_utf8_lossy(record.get(index).unwrap_or_default());
    field.parse().map_err(|_| format!("field {}, `{field}`, is no such number", index + 1))
}

fn check(row: &PredictionRow, classes: usize) -> Result<(), String> {
    if row.probabilities.len() != classes {
        return Err(format!("{} probabilities instead of {classes}", row.probabilities.len()));
    }
    match [row.truth, row.predicted].into_iter().find(|class| *class >= classes) {
        Some(class) => Err(format!("class {class}, where there are {classes}, counted from 0")),
        None => Ok(()),
    }
}
