//! What event files are called.

use std::fs;
use std::path::{Path, PathBuf};

use crate::TensorBoardError;

/// TensorBoard reads files that have this in their names.
const MARK: &str = "tfevents";
const PREFIX: &str = "events.out.tfevents.";

/// The event files of a folder, in the order in which TensorBoard reads them: by name. None where there is no folder.
///
/// # Errors
/// [`TensorBoardError::Io`] for a folder that cannot be read.
pub fn event_files(folder: &Path) -> Result<Vec<PathBuf>, TensorBoardError> {
    let failed = |source| TensorBoardError::io("list the event files", folder)(source);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().contains(MARK) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// The name of the file that comes after those of `files`: `events.out.tfevents.<seconds>.<host>.<number><suffix>`.
///
/// TensorBoard reads a folder's files in the order of their names. So a clock that was set back counts as standing still, and the
/// number tells apart what the seconds do not.
pub(crate) fn next(files: &[PathBuf], seconds: u64, host: &str, suffix: &str) -> String {
    let latest = files.iter().filter_map(|file| seconds_of(file)).max().unwrap_or(0);
    let seconds = seconds.max(latest);
    let host: String = host.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '-' }).collect();
    // Not the number of files: one that was removed would give its number away again.
    let number = files.iter().filter_map(|file| number_of(file)).max().map_or(0, |number| number + 1);
    format!("{PREFIX}{seconds:010}.{host}.{number:04}{suffix}")
}

fn seconds_of(file: &Path) -> Option<u64> {
    let name = file.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    name.split('.').next()?.parse().ok()
}

fn number_of(file: &Path) -> Option<u64> {
    let name = file.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    name.split('.').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_comes_after_those_before_it() {
        let mut files = Vec::new();
        // A clock that stands still, goes on, and is set back; a host's name with what file names lack.
        for seconds in [1_700_000_000, 1_700_000_000, 1_700_000_009, 5] {
            files.push(PathBuf::from(next(&files, seconds, "a.b/c", ".x")));
        }
        assert!(files.is_sorted(), "{files:?}");
        assert_eq!(files[0], Path::new("events.out.tfevents.1700000000.a-b-c.0000.x"));
        assert_eq!(files[3], Path::new("events.out.tfevents.1700000009.a-b-c.0003.x"));
        files.remove(1);
        assert!(!files.contains(&PathBuf::from(next(&files, 5, "a.b/c", ".x"))));
        assert!(next(&files, 5, "h", "").ends_with(".h.0004"));
    }

    #[test]
    fn only_event_files_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(event_files(&folder.path().join("none")).unwrap().is_empty());
        for name in ["events.out.tfevents.2.h", "events.out.tfevents.1.h", "notes.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names = event_files(folder.path()).unwrap();
        assert_eq!(names, ["1", "2"].map(|n| folder.path().join(format!("events.out.tfevents.{n}.h"))));
        let said = event_files(&folder.path().join("notes.txt")).unwrap_err().to_string();
        assert!(said.contains("cannot list the event files"), "{said}");
    }
}
