//! Small data sets, as bytes and as files.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use wick_cifar::{IMAGE_BYTES, Variant, file_names};

/// Byte `k` (row-major channel, row, column) of image `i`, as it lies on disk.
pub fn planar(i: usize, k: usize) -> u8 {
    ((i * 31 + k * 7 + k / 1024 * 85) % 256) as u8
}

pub fn label(variant: Variant, i: usize) -> u8 {
    (i * 7 % variant.classes()) as u8
}

pub fn coarse(i: usize) -> u8 {
    (i * 3 % 20) as u8
}

/// Records number `first` to `first + n`.
pub fn records(variant: Variant, first: usize, n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for i in first..first + n {
        if variant == Variant::Cifar100 {
            bytes.push(coarse(i));
        }
        bytes.push(label(variant, i));
        bytes.extend((0..IMAGE_BYTES).map(|k| planar(i, k)));
    }
    bytes
}

/// All data files' contents: file `k` of the training files has `counts[k]` records, then the test file.
pub fn files(variant: Variant, counts: &[usize]) -> Vec<(&'static str, Vec<u8>)> {
    let names = file_names(variant);
    let mut first = 0;
    let mut files = Vec::new();
    for (&name, &n) in names.train.iter().chain(names.test).zip(counts) {
        files.push((name, records(variant, first, n)));
        first += n;
    }
    files
}

pub fn write_files(folder: &Path, files: &[(&str, Vec<u8>)]) {
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// A `.tar.gz` of the files, in this order, inside `folder`.
pub fn tar_gz(folder: &str, files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, Path::new(folder).join(name), bytes.as_slice()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// That images `first..first + split.len()` of [`records`] are what the split holds.
pub fn assert_holds(split: &wick_cifar::Split, variant: Variant, first: usize) {
    for i in 0..split.len() {
        assert_eq!(split.label(i), label(variant, first + i), "label {i}");
        if variant == Variant::Cifar100 {
            assert_eq!(split.coarse().unwrap()[i], coarse(first + i), "coarse label {i}");
        }
        for (p, pixel) in split.image(i).chunks(3).enumerate() {
            for (c, &byte) in pixel.iter().enumerate() {
                assert_eq!(byte, planar(first + i, c * 1024 + p), "image {i}, pixel {p}, channel {c}");
            }
        }
    }
}
