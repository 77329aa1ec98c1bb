//! CSV files with fixed columns: reading, writing, appending, cutting.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, WriterBuilder};

use crate::{Ordered, Row, RunsError, write_atomic};

/// What [`cut_rows_after`] did, for the caller to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Rows that stayed.
    pub kept: usize,
    /// Rows that went; a last line broken off by a crash counts as one.
    pub cut: usize,
}

/// Reads every row of a CSV file.
///
/// # Errors
/// [`RunsError::Missing`] or [`RunsError::Io`] where it cannot be read, [`RunsError::Columns`] where its header is
/// another record's, [`RunsError::Row`] where a line is no such record.
pub fn read_rows<R: Row>(path: &Path) -> Result<Vec<R>, RunsError> {
    parse_rows(path, &fs::read(path).map_err(RunsError::io("read", path))?)
}

/// Every row of a CSV file that has been read already; `path` names it in errors.
///
/// # Errors
/// As [`read_rows`], but for reading.
pub fn parse_rows<R: Row>(path: &Path, bytes: &[u8]) -> Result<Vec<R>, RunsError> {
    let (header, body) = split_line(bytes);
    check_header::<R>(path, header)?;
    check_last_line::<R>(path, bytes)?;
    let mut rows = Vec::new();
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut record = ByteRecord::new();
    loop {
        let line = reader.position().line() + 1;
        match reader.read_byte_record(&mut record) {
            Ok(true) => rows.push(parse(path, line, &record)?),
            Ok(false) => break,
            Err(error) => return Err(bad_row::<R>(path, line, &record, &error.to_string())),
        }
    }
    Ok(rows)
}

/// Writes a CSV file anew: header and rows.
///
/// # Errors
/// [`RunsError::Io`] where it cannot be written; what stood there is then untouched.
pub fn write_rows<R: Row>(path: &Path, rows: &[R]) -> Result<(), RunsError> {
    let mut bytes = header::<R>();
    bytes.extend(lines(path, rows)?);
    write_atomic(path, &bytes)
}

/// Appends rows to a CSV file in one write, flushed to the disk; a file that does not exist is begun with its header.
///
/// Flushing takes milliseconds: collect rows between checkpoints rather than appending each alone.
///
/// # Errors
/// [`RunsError::Io`] where it cannot be written, [`RunsError::Columns`] where it is another record's file,
/// [`RunsError::Row`] where its last line is broken off ([`cut_rows_after`] mends that).
pub fn append_rows<R: Row>(path: &Path, rows: &[R]) -> Result<(), RunsError> {
    match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return write_rows(path, rows),
        Err(error) => return Err(RunsError::io("read", path)(error)),
        Ok(bytes) => {
            check_header::<R>(path, split_line(&bytes).0)?;
            check_last_line::<R>(path, &bytes)?;
        }
    }
    let mut file = OpenOptions::new().append(true).open(path).map_err(RunsError::io("write", path))?;
    file.write_all(&lines(path, rows)?).map_err(RunsError::io("write", path))?;
    file.sync_data().map_err(RunsError::io("write", path))
}

/// Keeps the header and the rows up to and including `position` (an epoch or a step), byte for byte, and replaces the
/// file atomically. Says how many rows went, since they should not go silently. A file that does not exist
/// has no rows to cut; a last line that a crash broke off is cut.
///
/// # Errors
/// As [`read_rows`] and [`write_rows`].
pub fn cut_rows_after<R: Ordered>(path: &Path, position: u64) -> Result<Cut, RunsError> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Cut { kept: 0, cut: 0 }),
        bytes => bytes.map_err(RunsError::io("read", path))?,
    };
    let (first, mut rest) = split_line(&bytes);
    let header = header::<R>();
    let broken_header = !bytes.ends_with(b"\n") && rest.is_empty() && header.starts_with(first);
    if !broken_header {
        check_header::<R>(path, first)?;
    }
    let mut kept_bytes = header;
    let mut cut = Cut { kept: 0, cut: 0 };
    let mut number = 1;
    while !rest.is_empty() {
        let (line, after) = split_line(rest);
        number += 1;
        let whole = rest.len() > line.len();
        if whole && parse::<R>(path, number, &record_of(line))?.position() <= position {
            kept_bytes.extend_from_slice(line);
            kept_bytes.push(b'\n');
            cut.kept += 1;
        } else {
            cut.cut += 1;
        }
        rest = after;
    }
    if kept_bytes != bytes {
        write_atomic(path, &kept_bytes)?;
    }
    Ok(cut)
}

pub(crate) fn writer() -> csv::Writer<Vec<u8>> {
    WriterBuilder::new().has_headers(false).from_writer(Vec::new())
}

/// The bytes of a CSV writer; records that cannot be written are a fault of the caller's data.
pub(crate) fn finish(path: &Path, writer: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, RunsError> {
    writer.into_inner().map_err(|error| unwritable(path, &error.to_string()))
}

pub(crate) fn unwritable(path: &Path, got: &str) -> RunsError {
    RunsError::Record { path: path.to_owned(), expected: "records of plain fields".into(), got: got.into() }
}

/// The line at the start of `bytes`, without its end, and what follows.
pub(crate) fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (bytes.get(..end).unwrap_or_default(), bytes.get(end + 1..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}

pub(crate) fn text(record: &ByteRecord) -> String {
    let fields: Vec<_> = record.iter().map(|field| String::from_utf8_lossy(field)).collect();
    fields.join(",")
}

fn header<R: Row>() -> Vec<u8> {
    let mut header = R::COLUMNS.join(",").into_bytes();
    header.push(b'\n');
    header
}

fn lines<R: Row>(path: &Path, rows: &[R]) -> Result<Vec<u8>, RunsError> {
    let mut writer = writer();
    for row in rows {
        writer.serialize(row).map_err(|error| unwritable(path, &error.to_string()))?;
    }
    finish(path, writer)
}

fn check_header<R: Row>(path: &Path, line: &[u8]) -> Result<(), RunsError> {
    let got = String::from_utf8_lossy(line);
    let expected = R::COLUMNS.join(",");
    if got.trim_end_matches('\r') == expected {
        return Ok(());
    }
    Err(RunsError::Columns { path: path.to_owned(), expected, got: got.into_owned() })
}

fn check_last_line<R: Row>(path: &Path, bytes: &[u8]) -> Result<(), RunsError> {
    if bytes.ends_with(b"\n") {
        return Ok(());
    }
    let line = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    let last = bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Err(bad_row::<R>(path, line, &record_of(last), "the line is broken off; resuming the run cuts it"))
}

fn record_of(line: &[u8]) -> ByteRecord {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line);
    let mut record = ByteRecord::new();
    // Reading from memory; an empty line leaves an empty record, which no row accepts.
    let _ = reader.read_byte_record(&mut record);
    record
}

fn parse<R: Row>(path: &Path, line: u64, record: &ByteRecord) -> Result<R, RunsError> {
    if record.len() != R::COLUMNS.len() {
        let reason = format!("{} fields instead of {}", record.len(), R::COLUMNS.len());
        return Err(bad_row::<R>(path, line, record, &reason));
    }
    record.deserialize(None).map_err(|error| {
        let reason = match error.kind() {
            csv::ErrorKind::Deserialize { err, .. } => {
                let column = err.field().and_then(|field| R::COLUMNS.get(usize::try_from(field).ok()?));
                format!("column `{}`: {}", column.unwrap_or(&"?"), err.kind())
            }
            _ => error.to_string(),
        };
        bad_row::<R>(path, line, record, &reason)
    })
}

pub(crate) fn bad_row<R: Row>(path: &Path, line: u64, record: &ByteRecord, reason: &str) -> RunsError {
    RunsError::Row {
        path: path.to_owned(),
        line,
        expected: R::COLUMNS.join(","),
        got: text(record),
        reason: reason.to_owned(),
    }
}
