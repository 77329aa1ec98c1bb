//! `cargo xtask dataset verify`: whether a copy of CIFAR is whole, and whether it is the official one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use wick_cifar::{Dataset, Variant, file_names};
use wick_runs::{grouped, sha256_bytes, sha256_file};

use super::archive::for_each_file;
use super::checksum::Checksum;

/// Check lengths and labels of a copy of CIFAR; with the official archive beside it, its contents, too
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of the .bin files, or its parent
    #[arg(long, visible_alias = "data", default_value = "data")]
    dir: PathBuf,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if !args.dir.is_dir() {
        bail!(
            "{} is no folder; give that of the .bin files with --dir, or get them with `cargo xtask dataset fetch`",
            args.dir.display()
        );
    }
    let dataset = wick_cifar::load(&args.dir)?;
    let folder = folder_of(&args.dir, dataset.variant);
    print!("{}", layout(&dataset, &folder)?);
    let archive = folder.with_file_name(file_names(dataset.variant).archive);
    println!("{}", contents(&dataset, &folder, &archive, &Checksum::official())?);
    Ok(())
}

/// Where the files are: in the folder given, or in the official folder within it.
fn folder_of(dir: &Path, variant: Variant) -> PathBuf {
    let dir = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    let names = file_names(variant);
    let here = names.train.iter().chain(names.test).any(|file| dir.join(file).exists());
    if here { dir } else { dir.join(names.folder) }
}

/// A line a file, and one on them all.
fn layout(dataset: &Dataset, folder: &Path) -> anyhow::Result<String> {
    let names = file_names(dataset.variant);
    let mut text = format!("{}\n", folder.display());
    for file in names.train.iter().chain(names.test) {
        let path = folder.join(file);
        let bytes = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?.len();
        let images = bytes / dataset.variant.record_bytes() as u64;
        let sha256 = sha256_file(&path)?;
        text += &format!(
            "  {file:<16} {:>11} bytes {:>6} images  sha256 {sha256}\n",
            grouped(bytes),
            grouped(images)
        );
    }
    let (train, test) = (dataset.train.len(), dataset.test.len());
    let counts = format!("{} training and {} test images", grouped(train as u64), grouped(test as u64));
    let whole = (train, test) == (50_000, 10_000);
    let size =
        if whole { "as in the official data set" } else { "officially 50,000 and 10,000: this is a subset" };
    let (name, last) = (dataset.variant.name(), dataset.variant.classes() - 1);
    Ok(text + &format!("{name}: {counts} ({size}), every file whole, every label 0 to {last}.\n"))
}

/// Whether the files are those of the official archive, which alone has a known checksum.
fn contents(dataset: &Dataset, folder: &Path, archive: &Path, official: &Checksum) -> anyhow::Result<String> {
    let names = file_names(dataset.variant);
    let unknown = |why: &str| {
        format!(
            "Contents not compared: {why}. (Only the archive {} has a published checksum; lay it at {} to compare.)",
            names.archive,
            archive.display()
        )
    };
    if dataset.variant != Variant::Cifar10 {
        return Ok("Contents not compared: no checksum of CIFAR-100 is known here.".to_owned());
    }
    if !archive.is_file() {
        return Ok(unknown("the official archive is not beside the folder"));
    }
    let got = Checksum::of(archive)?;
    if got != *official {
        return Ok(unknown(&format!("the archive beside the folder is another one, with md5 {}", got.md5)));
    }
    let mut hashes = BTreeMap::new();
    for_each_file(archive, |path, contents| {
        let mut bytes = Vec::new();
        contents.read_to_end(&mut bytes)?;
        if let Some(name) = path.file_name() {
            hashes.insert(name.to_string_lossy().into_owned(), sha256_bytes(&bytes));
        }
        Ok(())
    })?;
    let mut others = Vec::new();
    for file in names.train.iter().chain(names.test) {
        if hashes.get(*file) != Some(&sha256_file(&folder.join(file))?) {
            others.push(*file);
        }
    }
    Ok(match others.as_slice() {
        [] => "The files are the official ones, byte for byte.".to_owned(),
        others => {
            format!("Same layout, other contents: {} differ from the official archive's.", others.join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::archive::tests::{archive_of, entry};
    use tar::EntryType;

    struct Copy {
        scratch: tempfile::TempDir,
        dataset: Dataset,
        folder: PathBuf,
    }

    fn copy() -> Copy {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("cifar-10-batches-bin");
        let dataset = wick_cifar::synthetic_dataset(1, 20, 10);
        wick_cifar::write_folder(&dataset, &folder).unwrap();
        Copy { dataset: wick_cifar::load(&folder).unwrap(), folder, scratch }
    }

    fn archive(copy: &Copy) -> (PathBuf, Checksum) {
        let names = file_names(Variant::Cifar10);
        let files = names.train.iter().chain(names.test);
        let entries: Vec<_> = files
            .map(|file| {
                let path = format!("{}/{file}", names.folder);
                entry(EntryType::Regular, &path, &fs::read(copy.folder.join(file)).unwrap())
            })
            .collect();
        let path = copy.scratch.path().join(names.archive);
        fs::write(&path, archive_of(&entries)).unwrap();
        let checksum = Checksum::of(&path).unwrap();
        (path, checksum)
    }

    #[test]
    fn the_layout_names_every_file() {
        let copy = copy();
        let text = layout(&copy.dataset, &copy.folder).unwrap();
        assert!(text.contains("data_batch_5.bin") && text.contains("12,292 bytes      4 images"), "{text}");
        assert!(
            text.contains("20 training and 10 test images (officially 50,000 and 10,000: this is a subset)")
        );
        assert!(text.contains(&sha256_file(&copy.folder.join("test_batch.bin")).unwrap()));
        let found = folder_of(copy.scratch.path(), Variant::Cifar10);
        assert_eq!(found, fs::canonicalize(&copy.folder).unwrap());
    }

    #[test]
    fn the_official_archive_tells() {
        let copy = copy();
        let (archive, official) = archive(&copy);
        let verdict = || contents(&copy.dataset, &copy.folder, &archive, &official).unwrap();
        assert!(verdict().starts_with("The files are the official ones"));
        let path = copy.folder.join("data_batch_2.bin");
        let mut bytes = fs::read(&path).unwrap();
        bytes[100] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(
            verdict().starts_with("Same layout, other contents: data_batch_2.bin differ"),
            "{}",
            verdict()
        );
    }

    #[test]
    fn without_it_nothing_is_claimed() {
        let copy = copy();
        let (archive, official) = archive(&copy);
        let none = contents(&copy.dataset, &copy.folder, Path::new("/none"), &official).unwrap();
        assert!(none.starts_with("Contents not compared"), "{none}");
        let other = contents(&copy.dataset, &copy.folder, &archive, &Checksum::official()).unwrap();
        assert!(other.contains("another one, with md5"), "{other}");
    }
}
