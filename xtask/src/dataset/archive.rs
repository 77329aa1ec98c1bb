//! Unpacking a `.tar.gz` that is not to be trusted.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

/// Far more than any data set this is used for; an archive that unpacks to more is an accident or an attack.
const MOST_BYTES: u64 = 1 << 30;

/// Unpacks an archive into a folder that exists and is empty. Only folders and plain files are written, and only
/// inside it; what is in the way is not overwritten.
///
/// Fails on links, devices, absolute paths, paths with `..`, a path that comes twice, more than 1 GiB, and an archive
/// that is cut off or damaged. What was written until then stays.
pub(crate) fn unpack(archive: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut left = MOST_BYTES;
    for_each_file(archive, |path, contents| {
        let target = folder.join(path);
        let write = || format!("cannot write {}", target.display());
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).with_context(write)?;
        }
        let mut file = File::create_new(&target).with_context(write)?;
        let written = io::copy(&mut contents.take(left.saturating_add(1)), &mut file).with_context(write)?;
        left = left
            .checked_sub(written)
            .with_context(|| format!("it unpacks to more than {MOST_BYTES} bytes"))?;
        Ok(())
    })
    .with_context(|| format!("cannot unpack {}", archive.display()))
}

/// Calls `visit` with the path and the contents of every plain file of an archive, in its order.
pub(crate) fn for_each_file(
    archive: &Path,
    mut visit: impl FnMut(&Path, &mut dyn Read) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let file = File::open(archive).context("cannot open it")?;
    let mut tar = Archive::new(MultiGzDecoder::new(io::BufReader::new(file)));
    for entry in tar.entries()? {
        let mut entry = entry.context("it is no .tar.gz archive, or damaged or cut off")?;
        let kind = entry.header().entry_type();
        let path = entry.path().context("a path in it cannot be read")?.into_owned();
        match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let path = inside(&path)?;
                visit(&path, &mut entry).with_context(|| format!("at {}", path.display()))?;
            }
            EntryType::Directory => drop(inside(&path)?),
            // Settings for the entries that follow; none of them matters here.
            EntryType::XGlobalHeader => {}
            other => {
                bail!("it holds {} as a {other:?}; only plain files and folders are unpacked", path.display())
            }
        }
    }
    // The decoder compares its checksum only when it comes to the end.
    io::copy(&mut tar.into_inner().take(MOST_BYTES), &mut io::sink()).context("it is damaged or cut off")?;
    Ok(())
}

/// The path, if it stays in the folder it is joined to.
fn inside(path: &Path) -> anyhow::Result<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            _ => bail!("the path {} in it leads out of the folder", path.display()),
        }
    }
    Ok(clean)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    /// One entry, by a path that `tar`'s own writer may refuse to write.
    pub(crate) fn entry(kind: EntryType, path: &str, contents: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(contents.len() as u64);
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(contents);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    pub(crate) fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    pub(crate) fn archive_of(entries: &[Vec<u8>]) -> Vec<u8> {
        let mut tar = entries.concat();
        tar.resize(tar.len() + 1024, 0);
        gzipped(&tar)
    }

    fn unpacked(archive: &[u8]) -> (tempfile::TempDir, Result<(), String>) {
        let scratch = tempfile::tempdir().unwrap();
        let (path, folder) = (scratch.path().join("a.tar.gz"), scratch.path().join("in/side"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&path, archive).unwrap();
        let result = unpack(&path, &folder).map_err(|error| format!("{error:#}"));
        (scratch, result)
    }

    fn file(path: &str, contents: &[u8]) -> Vec<u8> {
        entry(EntryType::Regular, path, contents)
    }

    #[test]
    fn files_and_folders() {
        let long = "x".repeat(600);
        let archive = archive_of(&[
            entry(EntryType::Directory, "d/", b""),
            file("d/a", long.as_bytes()),
            file("./b", b""),
        ]);
        let (scratch, result) = unpacked(&archive);
        result.unwrap();
        let read = |path: &str| fs::read_to_string(scratch.path().join("in/side").join(path)).unwrap();
        assert_eq!((read("d/a"), read("b")), (long, String::new()));
    }

    #[test]
    fn what_leads_out_is_refused() {
        for path in ["../out", "d/../../out", "/tmp/wick-out", "..", "d/../.."] {
            let (scratch, result) = unpacked(&archive_of(&[file("first", b"1"), file(path, b"evil")]));
            let error = result.unwrap_err();
            assert!(error.contains("leads out of the folder"), "{path}: {error}");
            let beside: Vec<_> = fs::read_dir(scratch.path().join("in")).unwrap().collect();
            assert_eq!(beside.len(), 1, "{path}");
        }
        let (_scratch, result) = unpacked(&archive_of(&[entry(EntryType::Directory, "../d", b"")]));
        assert!(result.unwrap_err().contains("leads out"));
        assert!(!Path::new("/tmp/wick-out").exists());
    }

    #[test]
    fn what_is_no_plain_file_is_refused() {
        let kinds = [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Block, EntryType::Fifo];
        for kind in kinds {
            let (scratch, result) =
                unpacked(&archive_of(&[entry(kind, "link", b""), file("link/x", b"evil")]));
            let error = result.unwrap_err();
            assert!(error.contains("only plain files and folders"), "{error}");
            assert_eq!(fs::read_dir(scratch.path().join("in/side")).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_path_that_comes_twice_is_refused() {
        let (scratch, result) = unpacked(&archive_of(&[file("a", b"first"), file("a", b"second")]));
        assert!(result.unwrap_err().contains("cannot write"));
        assert_eq!(fs::read(scratch.path().join("in/side/a")).unwrap(), b"first");
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_refused() {
        let contents: Vec<u8> = (0..40_000_u32).map(|i| (i * i / 7) as u8).collect();
        let whole = archive_of(&[file("a", &contents), file("b", &contents)]);
        for cut in [1, 10, 1000, whole.len() / 2, whole.len() - 20] {
            let (_scratch, result) = unpacked(&whole[..whole.len() - cut]);
            assert!(result.is_err(), "{cut} bytes missing");
        }
        let mut flipped = whole.clone();
        let middle = whole.len() / 2;
        flipped[middle] ^= 0x10;
        assert!(unpacked(&flipped).1.is_err());
        assert!(unpacked(b"<html>log in first</html>").1.is_err());
        assert!(unpacked(b"").1.is_err());
        assert!(unpacked(&gzipped(b"no tar at all, just some text")).1.is_err());
    }
}
