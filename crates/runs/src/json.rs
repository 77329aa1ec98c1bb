//! JSON and plain text files.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{RunsError, write_atomic};

/// Reads a JSON file.
///
/// # Errors
/// [`RunsError::Missing`] where there is none, [`RunsError::Io`] where it cannot be read,
/// [`RunsError::Json`] where it does not hold a `T`.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunsError> {
    let bytes = fs::read(path).map_err(RunsError::io("read", path))?;
    serde_json::from_slice(&bytes).map_err(|error| json_error::<T>(path, &error))
}

/// Writes a JSON file, indented, with a newline at its end. Floats round-trip to the last bit.
/// (JSON has no NaN and no infinity: a bare float that is neither becomes `null`.)
///
/// # Errors
/// [`RunsError::Io`] where it cannot be written, [`RunsError::Json`] where `value` is no JSON.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), RunsError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| json_error::<T>(path, &error))?;
    bytes.push(b'\n');
    write_atomic(path, &bytes)
}

/// Reads a text file.
///
/// # Errors
/// [`RunsError::Missing`] where there is none, [`RunsError::Io`] where it cannot be read or is no UTF-8.
pub fn read_text(path: &Path) -> Result<String, RunsError> {
    fs::read_to_string(path).map_err(RunsError::io("read", path))
}

fn json_error<T>(path: &Path, error: &serde_json::Error) -> RunsError {
    let name = std::any::type_name::<T>();
    RunsError::Json {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
        expected: name.rsplit("::").next().unwrap_or(name),
        reason: error.to_string(),
    }
}
