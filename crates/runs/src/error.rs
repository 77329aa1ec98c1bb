//! What can go wrong with a run folder.

use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with a run folder: each variant says where, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunsError {
    /// The operating system refused.
    #[error("cannot {action} {path}", path = path.display())]
    Io {
        /// What was tried: "read", "write", "create the folder".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file is not there: the stage that writes it has not run.
    #[error("there is no file {path}: the stage that writes it has not run in this folder", path = path.display())]
    Missing {
        /// The file looked for.
        path: PathBuf,
    },
    /// A path leads to no run.
    #[error("{path} is not a run folder: expected {expected}, found {found}", path = path.display())]
    NotARun {
        /// The path given.
        path: PathBuf,
        /// What a run folder holds.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A name that becomes part of a path would lead elsewhere.
    #[error(
        "`{name}` cannot name a {what}: expected letters, digits, `-`, `_`, `+` or `.`, not starting with a dot"
    )]
    Name {
        /// What the name is for: "recipe", "method".
        what: &'static str,
        /// The name given.
        name: String,
    },
    /// A CSV file has other columns than its record.
    #[error("{path}, line 1: expected the columns `{expected}`, got `{got}`", path = path.display())]
    Columns {
        /// The CSV file.
        path: PathBuf,
        /// The columns of the record, comma-separated.
        expected: String,
        /// The first line of the file.
        got: String,
    },
    /// A line of a CSV file is no record.
    #[error("{path}, line {line}: expected `{expected}`, got `{got}`: {reason}", path = path.display())]
    Row {
        /// The CSV file.
        path: PathBuf,
        /// The line, counted from 1 (the header).
        line: u64,
        /// The columns of the record, comma-separated.
        expected: String,
        /// The line as it stands in the file.
        got: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A record cannot be written, because its parts do not fit together.
    #[error("{path} cannot be written: expected {expected}, got {got}", path = path.display())]
    Record {
        /// The file to be written.
        path: PathBuf,
        /// What would fit.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A file of pictures is not what its reader expects.
    #[error("{path}: expected {expected}, got {got}; the stage `misclassified` writes it anew", path = path.display())]
    Gallery {
        /// The file.
        path: PathBuf,
        /// The tensor expected, or the kind of file.
        expected: String,
        /// What is there.
        got: String,
    },
    /// A JSON file is not what its reader expects.
    #[error("{path}, line {line}, column {column}: expected a {expected}: {reason}", path = path.display())]
    Json {
        /// The JSON file.
        path: PathBuf,
        /// The line, counted from 1 (0: unknown).
        line: usize,
        /// The column, counted from 1 (0: unknown).
        column: usize,
        /// The Rust type expected.
        expected: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl RunsError {
    /// Whether a file or run was simply not there, so that the caller can say which stage to run first.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// The file or folder the error is about, where there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Io { path, .. }
            | Self::Missing { path }
            | Self::NotARun { path, .. }
            | Self::Columns { path, .. }
            | Self::Row { path, .. }
            | Self::Record { path, .. }
            | Self::Gallery { path, .. }
            | Self::Json { path, .. } => Some(path),
            Self::Name { .. } => None,
        }
    }

    /// Wraps an I/O error; one of reading a file that does not exist becomes [`RunsError::Missing`].
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            if action == "read" && source.kind() == io::ErrorKind::NotFound {
                Self::Missing { path: path.to_owned() }
            } else {
                Self::Io { action, path: path.to_owned(), source }
            }
        }
    }
}
