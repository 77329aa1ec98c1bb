//! Reading archives: what is right, and each thing that can be wrong.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{assert_holds, files, gzip, tar_gz, write};
use tempfile::tempdir;
use wick_cifar::{CifarError, Dataset, Variant, load};

const SIX: [usize; 6] = [3, 1, 2, 65, 4, 2];

fn load_bytes(bytes: &[u8]) -> Result<Dataset, CifarError> {
    let folder = tempdir().unwrap();
    load(&write(folder.path(), "cifar.tar.gz", bytes))
}

/// The official archive's own order is such a mixture.
#[test]
fn members_may_come_in_any_order() {
    for order in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [0, 2, 3, 5, 4, 1]] {
        let six = files(Variant::Cifar10, &SIX);
        let mut members = vec![("readme.html", b"<html>".to_vec())];
        members.extend(order.map(|k| six[k].clone()));
        members.insert(3, ("batches.meta.txt", b"A\nB\nC\nD\nE\nF\nG\nH\nI\nJ\n".to_vec()));
        let dataset = load_bytes(&tar_gz("cifar-10-batches-bin", &members)).unwrap();
        assert_eq!((dataset.variant, dataset.class_names[0].as_str()), (Variant::Cifar10, "A"));
        assert_eq!((dataset.train.len(), dataset.test.len()), (75, 2));
        assert_holds(&dataset.train, Variant::Cifar10, 0);
        assert_holds(&dataset.test, Variant::Cifar10, 75);
    }
}

#[test]
fn cifar100_and_an_archive_without_a_folder() {
    let mut members = files(Variant::Cifar100, &[66, 3]);
    members.reverse();
    let dataset = load_bytes(&tar_gz("", &members)).unwrap();
    assert_eq!((dataset.variant, dataset.class_names.len()), (Variant::Cifar100, 100));
    assert_holds(&dataset.train, Variant::Cifar100, 0);
    assert_holds(&dataset.test, Variant::Cifar100, 66);
}

#[test]
fn faults_inside_name_the_member_and_offset() {
    let mut six = files(Variant::Cifar10, &SIX);
    six[3].1[3073 * 64] = 77;
    match load_bytes(&tar_gz("in", &six)).unwrap_err() {
        CifarError::LabelOutOfRange { path, offset, got, .. } => {
            assert!(path.ends_with("cifar.tar.gz/in/data_batch_4.bin"), "{}", path.display());
            assert_eq!((offset, got), (3073 * 64, 77));
        }
        other => panic!("{other}"),
    }
    six[2].1.pop();
    let error = load_bytes(&tar_gz("in", &six)).unwrap_err();
    assert!(matches!(error, CifarError::WrongLength { offset: 3073, got: 6145, .. }), "{error}");

    six.remove(2);
    six[2].1[3073 * 64] = 7;
    match load_bytes(&tar_gz("in", &six)).unwrap_err() {
        CifarError::MissingFile { expected, .. } => assert_eq!(expected, "data_batch_3.bin"),
        other => panic!("{other}"),
    }
}

#[test]
fn a_member_twice_or_of_the_other_set_is_ambiguous() {
    let mut six = files(Variant::Cifar10, &SIX);
    six.push(six[0].clone());
    assert!(matches!(load_bytes(&tar_gz("in", &six)).unwrap_err(), CifarError::Ambiguous { .. }));
    six[6] = files(Variant::Cifar100, &[1, 1])[1].clone();
    assert!(matches!(load_bytes(&tar_gz("in", &six)).unwrap_err(), CifarError::Ambiguous { .. }));
}

#[test]
fn other_kinds_of_file() {
    let folder = tempdir().unwrap();
    for (name, bytes) in [("empty", vec![]), ("one", vec![0x1f]), ("text", b"hello".to_vec())] {
        let error = load(&write(folder.path(), name, &bytes)).unwrap_err();
        assert!(matches!(error, CifarError::NotAnArchive { .. }), "{name}: {error}");
    }
    // gzip, but of no tar
    for bytes in [b"hello".to_vec(), vec![7; 5000]] {
        let error = load_bytes(&gzip(&bytes)).unwrap_err();
        assert!(matches!(error, CifarError::NotAnArchive { .. }), "{error}");
    }
    // a tar of something else, of nothing, and of the Python version
    for bytes in [tar_gz("in", &[("a.txt", b"hello".to_vec())]), tar_gz("in", &[]), gzip(b"")] {
        let error = load_bytes(&bytes).unwrap_err();
        assert!(matches!(error, CifarError::NothingHere { .. }), "{error}");
    }
    for (inside, name) in [("cifar-10-batches-py", "data_batch_1"), ("cifar-100-python", "train")] {
        let error = load_bytes(&tar_gz(inside, &[(name, vec![0x80, 2])])).unwrap_err();
        assert!(matches!(error, CifarError::PythonVersion { .. }), "{error}");
    }
}

#[test]
fn a_cut_archive_says_how_far_it_goes() {
    let whole = tar_gz("in", &files(Variant::Cifar10, &SIX));
    match load_bytes(&whole[..whole.len() / 2]).unwrap_err() {
        CifarError::Truncated { path, file, offset, expected, got } => {
            assert!(path.ends_with("cifar.tar.gz") && file == "data_batch_4.bin", "{file}");
            assert!(offset > 0 && expected == 65 * 3073 && got < expected, "{offset} {got}");
        }
        other => panic!("{other}"),
    }
    // Cut before it was compressed: the compressed part is whole.
    let mut unpacked = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(whole.as_slice()), &mut unpacked).unwrap();
    let error = load_bytes(&gzip(&unpacked[..20_000])).unwrap_err();
    assert!(matches!(error, CifarError::Truncated { .. }), "{error}");
}

#[test]
fn a_damaged_archive_is_noticed_by_its_checksum() {
    let mut whole = tar_gz("in", &files(Variant::Cifar10, &SIX));
    let checksum = whole.len() - 8;
    whole[checksum] ^= 1;
    let error = load_bytes(&whole).unwrap_err();
    assert!(matches!(error, CifarError::Damaged { .. }), "{error}");
}
