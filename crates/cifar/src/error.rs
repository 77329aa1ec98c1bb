//! What can be wrong with a data set.

use std::io;
use std::path::{Path, PathBuf};

use crate::folder::data_files;
use crate::{Variant, file_names};

/// Why a data set could not be read or written. `path` is the file or folder; `file` inside an archive is named
/// as `archive.tar.gz/folder/file`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CifarError {
    /// Nothing is at the path that was given.
    #[error(
        "{path} does not exist; give the folder that holds CIFAR's .bin files, its parent, or the .tar.gz"
    )]
    NotFound {
        /// What was given.
        path: PathBuf,
    },
    /// A folder or archive holds nothing of either data set.
    #[error(
        "{path} holds no CIFAR data in the binary version; looked for {}, in it and in its folders {} and {}",
        looked_for.join(", "), file_names(Variant::Cifar10).folder, file_names(Variant::Cifar100).folder
    )]
    NothingHere {
        /// The folder or archive.
        path: PathBuf,
        /// The names of files of which at least one was expected.
        looked_for: Vec<&'static str>,
    },
    /// A folder or archive holds the pickled files for Python.
    #[error(
        "{path} holds the Python version of CIFAR ({found}); this reads the binary version: get {archive} from \
         https://www.cs.toronto.edu/~kriz/cifar.html"
    )]
    PythonVersion {
        /// The folder or archive.
        path: PathBuf,
        /// What gave it away.
        found: String,
        /// The archive to get instead.
        archive: &'static str,
    },
    /// A folder or archive holds more than one data set.
    #[error("{path} holds both {first} and {second}; give the folder or archive of the one that is meant")]
    Ambiguous {
        /// The folder or archive.
        path: PathBuf,
        /// One file or folder found.
        first: String,
        /// Another that cannot go with it.
        second: String,
    },
    /// A file of the data set is not there, though others are.
    #[error("{path} has no file {expected}; a data set needs all of {}", all.join(", "))]
    MissingFile {
        /// The folder or archive.
        path: PathBuf,
        /// The file that is missing.
        expected: &'static str,
        /// All files that must be there.
        all: Vec<&'static str>,
    },
    /// A file is empty or not a whole number of records long.
    #[error(
        "{path} is {got} bytes long, expected a whole number of records of {record} bytes (officially {expected} \
         bytes); it ends within the record at byte {offset}, so it is incomplete or another kind of file"
    )]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// Where its last, incomplete record begins.
        offset: u64,
        /// Its length in the official data set.
        expected: u64,
        /// Its length.
        got: u64,
        /// Length of a record.
        record: usize,
    },
    /// A label is no class of the data set.
    #[error(
        "{path} has the {kind} {got} at byte {offset}, expected 0 to {}; it is damaged or another kind of file",
        classes - 1
    )]
    LabelOutOfRange {
        /// The file.
        path: PathBuf,
        /// Where the label is, from the start of the file.
        offset: u64,
        /// "label", "coarse label" or "fine label".
        kind: &'static str,
        /// How many labels there are: it had to be less.
        classes: usize,
        /// The label.
        got: u8,
    },
    /// The archive ends too early.
    #[error(
        "{path} ends early: {got} of {expected} bytes of {file} could be read (up to byte {offset} of the \
         unpacked archive); copy or download the archive again"
    )]
    Truncated {
        /// The archive.
        path: PathBuf,
        /// The file inside it that is cut, or what else was being read.
        file: String,
        /// How far the unpacked archive could be read.
        offset: u64,
        /// Bytes that `file` should have.
        expected: u64,
        /// Bytes of `file` that there were.
        got: u64,
    },
    /// A file was given that is no gzip-compressed tar archive.
    #[error("{path} is no .tar.gz archive: {reason}; give CIFAR's folder or its .tar.gz")]
    NotAnArchive {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        reason: String,
    },
    /// The archive's checksum or structure is damaged.
    #[error(
        "{path} is damaged near byte {offset} of the unpacked archive, in {file}; copy or download it again"
    )]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// The file inside it, or what else was being read.
        file: String,
        /// How far the unpacked archive could be read.
        offset: u64,
        /// What the decoder said.
        source: io::Error,
    },
    /// A list of class names has too few or too many.
    #[error(
        "{path} has {got} class names, expected {expected}, one a line; remove it to use the official names"
    )]
    ClassNames {
        /// The list.
        path: PathBuf,
        /// Number of classes.
        expected: usize,
        /// Number of names.
        got: usize,
    },
    /// Images and labels do not go together.
    #[error("got {got} {what}, expected {expected}")]
    Lengths {
        /// What there is too much or too little of.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// Writing would replace a file.
    #[error("{path} is already there and is not overwritten; write to another folder or remove it first")]
    AlreadyThere {
        /// The file in the way.
        path: PathBuf,
    },
    /// The data do not fit in memory.
    #[error("{path} needs {bytes} bytes of memory, which could not be had")]
    Memory {
        /// The folder or archive.
        path: PathBuf,
        /// How much was asked for.
        bytes: u64,
    },
    /// The system could not read or write.
    #[error("could not {action} {path}")]
    Io {
        /// "read", "write", …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl CifarError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_path_buf(), source }
    }

    pub(crate) fn memory(path: &Path, images: u64) -> Self {
        Self::Memory { path: path.to_path_buf(), bytes: images.saturating_mul(crate::IMAGE_BYTES as u64) }
    }

    pub(crate) fn nothing_here(path: &Path) -> Self {
        let looked_for =
            Variant::ALL.into_iter().flat_map(|variant| data_files(&file_names(variant))).collect();
        Self::NothingHere { path: path.to_path_buf(), looked_for }
    }
}
