//! Whatever the bytes, the readers give images or a typed error: never a panic, and never other images.
#![allow(clippy::unwrap_used)]

mod common;

use common::{assert_holds, files, gzip, tar_gz, write, write_files};
use proptest::prelude::*;
use tempfile::tempdir;
use wick_cifar::{CifarError, Variant, load};

fn variant() -> impl Strategy<Value = Variant> {
    prop_oneof![Just(Variant::Cifar10), Just(Variant::Cifar100)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_counts_are_read(variant in variant(), counts in prop::array::uniform6(1_usize..140)) {
        let counts = if variant == Variant::Cifar100 { &counts[..2] } else { &counts[..] };
        let files = files(variant, counts);
        let folder = tempdir().unwrap();
        write_files(folder.path(), &files);
        let dataset = load(folder.path()).unwrap();
        let train = counts[..counts.len() - 1].iter().sum();
        prop_assert_eq!((dataset.train.len(), dataset.test.len()), (train, *counts.last().unwrap()));
        assert_holds(&dataset.train, variant, 0);
        assert_holds(&dataset.test, variant, train);

        let archive = write(folder.path(), "a.tar.gz", &tar_gz("in", &files));
        prop_assert_eq!(load(&archive).unwrap(), dataset);
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_unless_between_records(file in 0_usize..6, cut in 0_usize..3073 * 3) {
        let mut files = files(Variant::Cifar10, &[3; 6]);
        files[file].1.truncate(cut);
        let folder = tempdir().unwrap();
        write_files(folder.path(), &files);
        let archive = write(folder.path(), "a.tar.gz", &tar_gz("in", &files));
        for result in [load(folder.path()), load(&archive)] {
            if cut > 0 && cut % 3073 == 0 {
                let dataset = result.unwrap();
                prop_assert_eq!(dataset.train.len() + dataset.test.len(), 15 + cut / 3073);
            } else {
                let error = result.unwrap_err();
                let told = matches!(&error, CifarError::WrongLength { got, .. } if *got == cut as u64);
                prop_assert!(told, "{}", error);
            }
        }
    }

    #[test]
    fn an_archive_cut_anywhere_is_an_error(part in 0.0_f64..1.0, variant in variant()) {
        let whole = tar_gz("in", &files(variant, &[2; 6]));
        let cut = (whole.len() as f64 * part) as usize;
        let folder = tempdir().unwrap();
        let error = load(&write(folder.path(), "a.tar.gz", &whole[..cut])).unwrap_err();
        let expected = if cut < 2 {
            matches!(error, CifarError::NotAnArchive { .. })
        } else {
            matches!(error, CifarError::Truncated { .. })
        };
        prop_assert!(expected, "cut at {} of {}: {}", cut, whole.len(), error);
    }

    #[test]
    fn a_changed_byte_of_an_archive_is_noticed_or_changes_nothing(at in any::<prop::sample::Index>(), change in 1_u8..=255) {
        let files = files(Variant::Cifar10, &[2; 6]);
        let mut bytes = tar_gz("in", &files);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let folder = tempdir().unwrap();
        // gzip's header has fields that change nothing, and so have its code tables; what is unpacked is under a checksum.
        if let Ok(dataset) = load(&write(folder.path(), "a.tar.gz", &bytes)) {
            prop_assert_eq!((dataset.train.len(), dataset.test.len()), (10, 2));
            assert_holds(&dataset.train, Variant::Cifar10, 0);
            assert_holds(&dataset.test, Variant::Cifar10, 10);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..4000), file in 0_usize..6) {
        let folder = tempdir().unwrap();
        let path = folder.path();
        prop_assert!(load(&write(path, "plain", &bytes)).is_err());
        prop_assert!(load(&write(path, "magic", &[&[0x1f, 0x8b, 8, 0], bytes.as_slice()].concat())).is_err());
        prop_assert!(load(&write(path, "gzip", &gzip(&bytes))).is_err());
        let mut files = files(Variant::Cifar10, &[1; 6]);
        files[file].1 = bytes.clone();
        write_files(path, &files);
        let loaded = load(path);
        prop_assert_eq!(loaded.is_ok(), bytes.len() == 3073 && bytes[0] < 10);
    }
}
