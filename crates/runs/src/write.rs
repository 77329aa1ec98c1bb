//! Writing a file so that nobody ever sees half of it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile, TempPath};

use crate::RunsError;

/// Writes `bytes` to `path`: beside it, flushed to the disk, then renamed over it. Missing folders are made.
///
/// # Errors
/// [`RunsError::Io`] where a folder or the file cannot be written; what stood at `path` is then untouched.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), RunsError> {
    write_atomic_with(path, |file| file.write_all(bytes))
}

/// As [`write_atomic`], with what `fill` writes.
///
/// # Errors
/// [`RunsError::Io`] as above, and where `fill` fails.
pub fn write_atomic_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), RunsError> {
    let io = || RunsError::io("write", path);
    let temporary = beside(path)?;
    let mut buffered = BufWriter::new(temporary);
    fill(&mut buffered).map_err(io())?;
    let temporary = buffered.into_inner().map_err(|error| io()(error.into_error()))?;
    temporary.as_file().sync_all().map_err(io())?;
    rename(temporary.into_temp_path(), path)
}

/// As [`write_atomic`], for a writer that wants a path: `fill` writes to the temporary path it is handed.
///
/// # Errors
/// [`RunsError::Io`] as above, and whatever `fill` returns; the temporary file is then removed.
pub fn write_atomic_by_path<E: From<RunsError>>(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let io = || RunsError::io("write", path);
    let temporary = beside(path)?.into_temp_path();
    let permissions = fs::metadata(&temporary).map_err(io())?.permissions();
    fill(&temporary)?;
    // Another file that `fill` put there may be private.
    fs::set_permissions(&temporary, permissions).map_err(io())?;
    // `fill` may have replaced the file, so it is the one now at the path that is flushed.
    File::open(&temporary).and_then(|file| file.sync_all()).map_err(RunsError::io("write", path))?;
    Ok(rename(temporary, path)?)
}

/// Makes the folder that `path` lies in.
///
/// # Errors
/// [`RunsError::Io`] where it cannot be made.
pub fn create_parent(path: &Path) -> Result<(), RunsError> {
    let folder = parent(path);
    fs::create_dir_all(folder).map_err(RunsError::io("create the folder", folder))
}

/// The folder that `path` lies in: `.` for a bare file name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A fresh file in the folder of `path`, removed again unless it is renamed.
fn beside(path: &Path) -> Result<NamedTempFile, RunsError> {
    create_parent(path)?;
    let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(".part");
    // Temporary files are private by default; these become files like any other (less the umask).
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(parent(path)).map_err(RunsError::io("write", path))
}

fn rename(temporary: TempPath, path: &Path) -> Result<(), RunsError> {
    temporary.persist(path).map_err(|error| RunsError::io("write", path)(error.error))?;
    sync_folder(parent(path));
    Ok(())
}

/// Makes a rename survive a power cut. Not every file system can, and the file itself is whole either way.
pub(crate) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(path.parent().unwrap()), ["b.txt"]);
    }

    #[test]
    fn a_failing_writer_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.txt");
        write_atomic(&path, b"old").unwrap();
        let error = write_atomic_with(&path, |file| {
            file.write_all(b"half of it")?;
            Err(io::Error::other("the disk is full"))
        })
        .unwrap_err();
        assert!(
            matches!(&error, RunsError::Io { source, .. } if source.to_string() == "the disk is full"),
            "{error}"
        );
        let failed: Result<(), RunsError> = write_atomic_by_path(&path, |temporary| {
            fs::write(temporary, b"half").unwrap();
            Err(RunsError::Missing { path: temporary.to_owned() })
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["b.txt"]);
    }

    #[test]
    fn by_path_renames_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        write_atomic_by_path(&path, |temporary| {
            fs::write(temporary, b"weights").map_err(RunsError::io("write", temporary))
        })
        .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"weights");
    }

    #[cfg(unix)]
    #[test]
    fn files_are_readable_like_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write_atomic(&ours, b"").unwrap();
        fs::write(&plain, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn a_folder_that_is_a_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), b"").unwrap();
        let error = write_atomic(&folder.path().join("file/inside"), b"").unwrap_err();
        assert!(matches!(error, RunsError::Io { action: "create the folder", .. }), "{error}");
    }
}
