//! The pictures beside the tables.
#![allow(clippy::unwrap_used)]

use std::fs;

use safetensors::{Dtype, tensor::TensorView};
use wick_runs::{GalleryImages, PICTURE_BYTES, PictureSet, RunsError};

fn set(indices: &[usize]) -> PictureSet {
    let mut set = PictureSet::default();
    for &i in indices {
        set.push(i, &std::array::from_fn(|k| (k + 7 * i) as u8));
    }
    set
}

#[test]
fn pictures_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.safetensors");
    let gallery =
        GalleryImages { misclassified: set(&[9, 3]), unsure: set(&[]), class_mean: set(&[0, 1, 2]) };
    gallery.write(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let read = GalleryImages::read(&path).unwrap();
    assert_eq!(read, gallery);
    assert_eq!(read.misclassified.get(3).unwrap()[..2], [21, 22]);
    assert_eq!(read.misclassified.get(4), None);
    let numbers: Vec<usize> = read.misclassified.iter().map(|(i, _)| i).collect();
    assert_eq!(numbers, [9, 3], "the order is kept");
    gallery.write(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes, "same input, same bytes");
}

#[test]
fn what_does_not_fit_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.safetensors");
    let mut gallery = GalleryImages { unsure: set(&[1, 2]), ..Default::default() };
    gallery.unsure.images.truncate(PICTURE_BYTES);
    let error = gallery.write(&path).unwrap_err();
    assert!(error.to_string().contains("3072 bytes for each of 2 unsure images, got 3072 bytes"), "{error}");
    assert!(!path.exists());
}

#[test]
fn other_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.safetensors");
    assert!(GalleryImages::read(&path).unwrap_err().is_missing());
    let says = |bytes: &[u8], words: &str| {
        fs::write(&path, bytes).unwrap();
        let error = GalleryImages::read(&path).unwrap_err();
        assert!(matches!(error, RunsError::Gallery { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.path(), Some(path.as_path()));
    };
    says(b"these are no pictures", "safetensors");
    let file = |dtype, shape: &[usize], data: &[u8], images: &[usize]| {
        let index = TensorView::new(dtype, shape.to_vec(), data).unwrap();
        let bytes = vec![0; images.iter().product()];
        let images = TensorView::new(Dtype::U8, images.to_vec(), &bytes).unwrap();
        safetensors::serialize([("misclassified.index", index), ("misclassified.images", images)], None)
            .unwrap()
    };
    let one = 5i64.to_le_bytes();
    says(&file(Dtype::F64, &[1], &one, &[1, 32, 32, 3]), "I64 of shape N, got F64 of shape 1");
    says(&file(Dtype::I64, &[1, 1], &one, &[1, 32, 32, 3]), "got I64 of shape 1×1");
    says(&file(Dtype::I64, &[1], &one, &[1, 3, 32, 32]), "U8 of shape 1×32×32×3, got U8 of shape 1×3×32×32");
    says(&file(Dtype::I64, &[1], &(-1i64).to_le_bytes(), &[1, 32, 32, 3]), "from 0 on");
    says(&file(Dtype::I64, &[1], &one, &[1, 32, 32, 3]), "`unsure.index`");
}
