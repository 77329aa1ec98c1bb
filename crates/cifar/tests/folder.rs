//! Reading folders: what is right, and each thing that can be wrong.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;

use common::{assert_holds, files, records, write, write_files};
use tempfile::tempdir;
use wick_cifar::{CifarError, Dataset, Split, Variant, load, write_folder};

const SIX: [usize; 6] = [3, 1, 2, 65, 4, 2];

#[test]
fn cifar10_from_the_folder_or_its_parent() {
    let parent = tempdir().unwrap();
    let folder = parent.path().join("cifar-10-batches-bin");
    write_files(&folder, &files(Variant::Cifar10, &SIX));
    for path in [folder.as_path(), parent.path()] {
        let dataset = load(path).unwrap();
        assert_eq!(dataset.variant, Variant::Cifar10);
        assert_eq!((dataset.train.len(), dataset.test.len()), (75, 2));
        assert_eq!(dataset.class_names[9], "truck");
        assert_eq!(dataset.train.coarse(), None);
        assert_holds(&dataset.train, Variant::Cifar10, 0);
        assert_holds(&dataset.test, Variant::Cifar10, 75);
    }
}

#[test]
fn cifar100_has_coarse_then_fine_labels() {
    let folder = tempdir().unwrap();
    write_files(folder.path(), &files(Variant::Cifar100, &[130, 7]));
    let dataset = load(folder.path()).unwrap();
    assert_eq!(dataset.variant, Variant::Cifar100);
    assert_eq!((dataset.class_names.len(), dataset.class_names[99].as_str()), (100, "worm"));
    assert_holds(&dataset.train, Variant::Cifar100, 0);
    assert_holds(&dataset.test, Variant::Cifar100, 130);
}

#[test]
fn class_names_come_from_the_list_beside_the_data() {
    let folder = tempdir().unwrap();
    write_files(folder.path(), &files(Variant::Cifar10, &SIX));
    write(folder.path(), "batches.meta.txt", b"a\r\nb\nc\nd\ne\nf\ng\nh\n i j \nk\n\n");
    assert_eq!(load(folder.path()).unwrap().class_names[8..], ["i j", "k"]);

    write(folder.path(), "batches.meta.txt", b"a\nb\n");
    let error = load(folder.path()).unwrap_err();
    assert!(matches!(error, CifarError::ClassNames { expected: 10, got: 2, .. }), "{error}");
}

#[test]
fn a_length_that_is_no_whole_number_of_records_is_an_error() {
    for (length, offset) in [(3073 * 2 + 5, 3073 * 2), (3072, 0), (0, 0)] {
        let folder = tempdir().unwrap();
        let mut six = files(Variant::Cifar10, &SIX);
        six[3].1.resize(length, 0);
        write_files(folder.path(), &six);
        match load(folder.path()).unwrap_err() {
            CifarError::WrongLength { path, offset: at, expected, got, record } => {
                assert_eq!(path, folder.path().join("data_batch_4.bin"));
                assert_eq!((at, got, expected, record), (offset as u64, length as u64, 30_730_000, 3073));
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_label_out_of_range_is_told_with_its_offset() {
    let folder = tempdir().unwrap();
    let mut six = files(Variant::Cifar10, &SIX);
    six[3].1[3073 * 64] = 10; // beyond the first chunk of 64 records
    six[4].1[0] = 200; // a later file's, so not the one to be told
    write_files(folder.path(), &six);
    match load(folder.path()).unwrap_err() {
        CifarError::LabelOutOfRange { path, offset, kind, classes, got } => {
            assert_eq!(path, folder.path().join("data_batch_4.bin"));
            assert_eq!((offset, kind, classes, got), (3073 * 64, "label", 10, 10));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn cifar100_labels_have_each_their_range() {
    for (byte, value, bad_kind, bad_classes) in [(0, 20, "coarse label", 20), (1, 100, "fine label", 100)] {
        let folder = tempdir().unwrap();
        let mut two = files(Variant::Cifar100, &[3, 2]);
        two[1].1[3074 + byte] = value;
        write_files(folder.path(), &two);
        match load(folder.path()).unwrap_err() {
            CifarError::LabelOutOfRange { offset, kind, classes, got, .. } => {
                assert_eq!((offset, kind, classes, got), (3074 + byte as u64, bad_kind, bad_classes, value));
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn each_missing_file_is_named() {
    for missing in 0..6 {
        let folder = tempdir().unwrap();
        let mut six = files(Variant::Cifar10, &SIX);
        let (name, _) = six.remove(missing);
        write_files(folder.path(), &six);
        fs::create_dir(folder.path().join(name)).unwrap(); // a folder of that name is no file
        match load(folder.path()).unwrap_err() {
            CifarError::MissingFile { expected, all, .. } => assert_eq!((expected, all.len()), (name, 6)),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn nothing_there() {
    let folder = tempdir().unwrap();
    let message = load(folder.path()).unwrap_err().to_string();
    for expected in ["data_batch_1.bin", "test_batch.bin", "train.bin", "cifar-100-binary"] {
        assert!(message.contains(expected), "{message}");
    }
    let missing = folder.path().join("nowhere");
    assert!(matches!(load(&missing).unwrap_err(), CifarError::NotFound { path } if path == missing));
}

#[test]
fn the_python_version_is_recognised() {
    for (inside, files) in [
        ("cifar-10-batches-py", ["data_batch_1", "batches.meta", "test_batch"]),
        ("cifar-100-python", ["train", "test", "meta"]),
    ] {
        let parent = tempdir().unwrap();
        write_files(&parent.path().join(inside), &files.map(|name| (name, vec![0x80, 2])));
        for path in [parent.path().to_path_buf(), parent.path().join(inside)] {
            let error = load(&path).unwrap_err();
            assert!(matches!(error, CifarError::PythonVersion { .. }), "{error}");
            assert!(error.to_string().contains("-binary.tar.gz"), "{error}");
        }
    }
}

#[test]
fn two_data_sets_at_once_are_ambiguous() {
    let folder = tempdir().unwrap();
    write_files(folder.path(), &files(Variant::Cifar10, &SIX));
    write_files(folder.path(), &files(Variant::Cifar100, &[1, 1]));
    assert!(matches!(load(folder.path()).unwrap_err(), CifarError::Ambiguous { .. }));

    let parent = tempdir().unwrap();
    write_files(&parent.path().join("cifar-10-batches-bin"), &files(Variant::Cifar10, &SIX));
    write_files(&parent.path().join("cifar-100-binary"), &files(Variant::Cifar100, &[1, 1]));
    assert!(matches!(load(parent.path()).unwrap_err(), CifarError::Ambiguous { .. }));
}

#[test]
fn a_file_too_large_for_memory_is_an_error() {
    let folder = tempdir().unwrap();
    write_files(folder.path(), &files(Variant::Cifar10, &SIX));
    let sparse = fs::File::create(folder.path().join("data_batch_2.bin")).unwrap();
    sparse.set_len(3073 << 30).unwrap(); // 3 TiB of nothing
    let error = load(folder.path()).unwrap_err();
    assert!(matches!(error, CifarError::Memory { bytes, .. } if bytes > 3072 << 30), "{error}");
}

#[test]
fn what_is_written_is_read_again() {
    let hundred = |first, n| {
        let bytes = records(Variant::Cifar100, first, n);
        let records = bytes.chunks(3074);
        let images = records.clone().flat_map(|record| record[2..].to_vec()).collect();
        Split::new(images, records.clone().map(|record| record[1]).collect())
            .and_then(|split| split.with_coarse(records.map(|record| record[0]).collect()))
            .unwrap()
    };
    let cifar100 = Dataset {
        variant: Variant::Cifar100,
        class_names: Variant::Cifar100.class_names(),
        train: hundred(0, 6),
        test: hundred(6, 1),
    };
    for dataset in [wick_cifar::synthetic_dataset(3, 12, 5), cifar100] {
        let parent = tempdir().unwrap();
        let folder = parent.path().join("new/one");
        write_folder(&dataset, &folder).unwrap();
        assert_eq!(load(&folder).unwrap(), dataset);
        assert_eq!(dataset.variant == Variant::Cifar100, folder.join("coarse_label_names.txt").exists());
        assert!(matches!(write_folder(&dataset, &folder).unwrap_err(), CifarError::AlreadyThere { .. }));
    }
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let good = wick_cifar::synthetic_dataset(3, 12, 5);
    let mut lineless = good.class_names.clone();
    lineless[2] = "two\nlines".to_owned();
    let bad_label = Split::new(good.test.images().to_vec(), vec![1, 2, 10, 3, 4]).unwrap();
    let bad = [
        Dataset { train: good.train.take(4), ..good.clone() },
        Dataset { test: good.test.take(0), ..good.clone() },
        Dataset { class_names: lineless, ..good.clone() },
        Dataset { test: bad_label, ..good.clone() },
        Dataset { variant: Variant::Cifar100, class_names: Variant::Cifar100.class_names(), ..good },
    ];
    let parent = tempdir().unwrap();
    let folder = parent.path().join("out");
    for dataset in &bad {
        let error = write_folder(dataset, &folder).unwrap_err();
        assert!(!folder.exists(), "wrote something before saying: {error}");
    }
    let error = write_folder(&bad[3], &folder).unwrap_err();
    assert!(matches!(error, CifarError::LabelOutOfRange { offset: 6146, got: 10, .. }), "{error}");
}

#[test]
fn splits_select_and_check() {
    let split = wick_cifar::synthetic(1, 20);
    let some = split.select(&[7, 0, 7]);
    assert_eq!(some.labels(), [split.label(7), split.label(0), split.label(7)]);
    assert_eq!(some.image(2), split.image(7));
    assert_eq!(split.take(99), split);
    assert_eq!(split.take(3).images(), &split.images()[..3 * 3072]);
    assert_eq!(split.class_counts(10), [2; 10]);
    let error = Split::new(vec![0; 3071], vec![0]).unwrap_err();
    assert!(matches!(error, CifarError::Lengths { expected: 3072, got: 3071, .. }), "{error}");
    assert!(split.with_coarse(vec![0; 19]).is_err());
}
