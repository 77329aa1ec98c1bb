//! Data sets to files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use crate::records::{encode, label_kinds};
use crate::{CifarError, Dataset, Split, Variant, file_names, names};

/// Writes `dataset` as binary files straight into `folder` (made if need be), so that [`load`](crate::load) and any other
/// program that reads CIFAR can use it. CIFAR-10's training images are shared out evenly among its five files.
/// Each file is written beside its place and then renamed.
///
/// # Errors
/// Before anything is written: [`CifarError::AlreadyThere`] if one of the files exists, for nothing is overwritten;
/// [`CifarError::Lengths`] if there are too few images for each file to hold one, or CIFAR-100 without coarse labels;
/// [`CifarError::ClassNames`] if there is not one line of name for each class; [`CifarError::LabelOutOfRange`] for a label
/// that is no class, with the file and offset where it would have stood. Then [`CifarError::Io`].
pub fn write_folder(dataset: &Dataset, folder: &Path) -> Result<(), CifarError> {
    let variant = dataset.variant;
    let names = file_names(variant);
    let files = names.train.iter().enumerate().map(|(k, name)| {
        let (n, of) = (dataset.train.len(), names.train.len());
        (folder.join(name), &dataset.train, k * n / of..(k + 1) * n / of)
    });
    let files: Vec<_> = files
        .chain(names.test.iter().map(|name| (folder.join(name), &dataset.test, 0..dataset.test.len())))
        .collect();
    let mut lists = vec![(folder.join(names.class_names), dataset.class_names.join("\n"))];
    lists.extend(names.coarse_names.map(|name| (folder.join(name), variant.coarse_names().join("\n"))));

    for path in files.iter().map(|file| &file.0).chain(lists.iter().map(|list| &list.0)) {
        if path.symlink_metadata().is_ok() {
            return Err(CifarError::AlreadyThere { path: path.clone() });
        }
    }
    names::check(&names::parse(&lists[0].1), variant, &lists[0].0)?;
    enough("training images", dataset.train.len(), names.train.len())?;
    enough("test images", dataset.test.len(), names.test.len())?;
    for (path, split, range) in &files {
        check_labels(variant, split, range.clone(), path)?;
    }

    fs::create_dir_all(folder).map_err(|source| CifarError::io("make the folder", folder, source))?;
    for (path, split, range) in files {
        beside(&path, |out| encode(variant, split, range, out))?;
    }
    for (path, lines) in lists {
        beside(&path, |out| writeln!(out, "{lines}"))?;
    }
    Ok(())
}

fn enough(what: &'static str, got: usize, expected: usize) -> Result<(), CifarError> {
    if got < expected { Err(CifarError::Lengths { what, expected, got }) } else { Ok(()) }
}

fn check_labels(variant: Variant, split: &Split, range: Range<usize>, path: &Path) -> Result<(), CifarError> {
    let kinds = label_kinds(variant);
    let columns = match (split.coarse(), kinds.len()) {
        (_, 1) => vec![split.labels()],
        (Some(coarse), _) => vec![coarse, split.labels()],
        (None, _) => {
            return Err(CifarError::Lengths { what: "coarse labels", expected: split.len(), got: 0 });
        }
    };
    for (k, (labels, &(kind, classes))) in columns.iter().zip(kinds).enumerate() {
        let bad = labels[range.clone()].iter().position(|label| usize::from(*label) >= classes);
        if let Some(row) = bad {
            return Err(CifarError::LabelOutOfRange {
                path: path.to_path_buf(),
                offset: (row * variant.record_bytes() + k) as u64,
                kind,
                classes,
                got: labels[range.start + row],
            });
        }
    }
    Ok(())
}

/// Writes a file whole or not at all.
fn beside(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), CifarError> {
    let unfinished = path.with_added_extension("part");
    let write = || {
        let mut out = BufWriter::new(File::create(&unfinished)?);
        content(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&unfinished, path)
    };
    write().map_err(|source| {
        // Best effort: the first error is the one to tell.
        let _ = fs::remove_file(&unfinished);
        CifarError::io("write", path, source)
    })
}
