//! `confusion.csv`: how often each class was taken for each other.

use std::fs;
use std::path::Path;

use csv::ReaderBuilder;

use crate::table::{finish, unwritable, writer};
use crate::{RunsError, write_atomic};

/// Counts of (true class, predicted class): the classes' names head the columns and begin the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionTable {
    /// The classes' names.
    pub class_names: Vec<String>,
    /// `counts[t][p]`: images of class `t` predicted as class `p`.
    pub counts: Vec<Vec<u64>>,
}

/// Above the first column: rows are true classes, columns predicted ones.
const CORNER: &str = "true/predicted";

impl ConfusionTable {
    /// Writes the file.
    ///
    /// # Errors
    /// [`RunsError::Record`] where the counts are not square or not as many as the names;
    /// [`RunsError::Io`] where it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RunsError> {
        let n = self.class_names.len();
        if self.counts.len() != n || self.counts.iter().any(|row| row.len() != n) {
            let lengths: Vec<_> = self.counts.iter().map(Vec::len).collect();
            return Err(RunsError::Record {
                path: path.to_owned(),
                expected: format!("{n} rows of {n} counts, one for each class"),
                got: format!("rows of lengths {lengths:?}"),
            });
        }
        let mut writer = writer();
        let unwritable = |error: csv::Error| unwritable(path, &error.to_string());
        let names = self.class_names.iter().map(String::as_str);
        writer.write_record([CORNER].into_iter().chain(names)).map_err(unwritable)?;
        for (name, counts) in self.class_names.iter().zip(&self.counts) {
            writer.serialize((name, counts)).map_err(unwritable)?;
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
        let mut lines = Vec::new();
        for record in reader.byte_records() {
            let record = record.map_err(|error| RunsError::io("read", path)(error.into()))?;
            let fields = record.iter().map(|field| String::from_utf8_lossy(field).into_owned());
            lines.push(fields.collect::<Vec<_>>());
        }
        let mut lines = lines.into_iter();
        let header = lines.next().unwrap_or_default();
        let Some(([corner], names)) = header.split_first_chunk::<1>().filter(|(_, names)| !names.is_empty())
        else {
            return Err(columns(path, &header));
        };
        if corner != CORNER {
            return Err(columns(path, &header));
        }
        let mut counts = Vec::new();
        let mut expected_names = names.iter();
        for (line, fields) in (2..).zip(lines) {
            let bad = |reason: String| RunsError::Row {
                path: path.to_owned(),
                line,
                expected: header.join(","),
                got: fields.join(","),
                reason,
            };
            counts.push(parse(&fields, expected_names.next(), names.len()).map_err(bad)?);
        }
        if counts.len() != names.len() {
            return Err(RunsError::Row {
                path: path.to_owned(),
                line: counts.len() as u64 + 2,
                expected: header.join(","),
                got: String::new(),
                reason: format!("{} rows instead of {}", counts.len(), names.len()),
            });
        }
        Ok(Self { class_names: names.to_vec(), counts })
    }
}

fn parse(fields: &[String], name: Option<&String>, classes: usize) -> Result<Vec<u64>, String> {
    let (first, counts) = fields.split_first().ok_or("an empty line")?;
    let name = name.ok_or("more rows than classes")?;
    if first != name {
        return Err(format!("the row of `{first}` where that of `{name}` belongs"));
    }
    if counts.len() != classes {
        return Err(format!("{} counts instead of {classes}", counts.len()));
    }
    counts.iter().map(|count| count.parse().map_err(|_| format!("`{count}` is no count"))).collect()
}

fn columns(path: &Path, header: &[String]) -> RunsError {
    RunsError::Columns {
        path: path.to_owned(),
        expected: format!("{CORNER},<class>,<class>,…"),
        got: header.join(","),
    }
}
