//! SHA-256 of bytes, files and folders, as lower-case hexadecimal.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::RunsError;

/// SHA-256 of some bytes.
pub fn sha256_bytes(bytes: &[u8]) -> String {
    sha256_chunks([bytes])
}

/// SHA-256 of several slices, one after the other, without joining them.
pub fn sha256_chunks<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for chunk in chunks {
        hasher.update(chunk);
    }
    hex(&hasher.finalize())
}

/// SHA-256 of a file, read in pieces of 1 MiB.
///
/// # Errors
/// [`RunsError::Missing`] or [`RunsError::Io`].
pub fn sha256_file(path: &Path) -> Result<String, RunsError> {
    let mut file = File::open(path).map_err(RunsError::io("read", path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(n) => hasher.update(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(RunsError::io("read", path)(error)),
        }
    }
}

/// SHA-256 of a folder: of the lines `<sha256>  <relative path>\n` of every file beneath it, in the paths'
/// byte order (so what `sha256sum` prints, hashed). Empty folders do not count.
///
/// # Errors
/// [`RunsError::Missing`] or [`RunsError::Io`].
pub fn sha256_folder(folder: &Path) -> Result<String, RunsError> {
    let mut files = Vec::new();
    list(folder, "", &mut files)?;
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let line = format!("{}  {file}\n", sha256_file(&folder.join(&file))?);
        hasher.update(line.as_bytes());
    }
    Ok(hex(&hasher.finalize()))
}

fn list(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<(), RunsError> {
    let entries = fs::read_dir(folder).map_err(RunsError::io("read", folder))?;
    for entry in entries {
        let entry = entry.map_err(RunsError::io("read", folder))?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            list(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-2's own examples.
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn known_digests() {
        assert_eq!(sha256_bytes(b""), EMPTY);
        assert_eq!(sha256_bytes(b"abc"), ABC);
        assert_eq!(sha256_chunks([&b"a"[..], b"", b"bc"]), ABC);
    }

    #[test]
    fn a_file_is_hashed_over_its_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..(2 << 20) + 12345_u32).map(|i| (i % 251) as u8).collect();
        fs::write(&path, &bytes).unwrap();
        assert_eq!(sha256_file(&path).unwrap(), sha256_bytes(&bytes));
        assert!(sha256_file(&folder.path().join("none")).unwrap_err().is_missing());
    }

    #[test]
    fn a_folder_counts_names_and_contents() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        fs::write(folder.path().join("b/inner"), b"abc").unwrap();
        fs::write(folder.path().join("a"), b"").unwrap();
        let expected = sha256_bytes(format!("{EMPTY}  a\n{ABC}  b/inner\n").as_bytes());
        assert_eq!(sha256_folder(folder.path()).unwrap(), expected);
        fs::rename(folder.path().join("a"), folder.path().join("c")).unwrap();
        assert_ne!(sha256_folder(folder.path()).unwrap(), expected);
    }
}
