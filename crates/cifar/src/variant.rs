//! The two data sets and how they lie on disk.

use crate::IMAGE_BYTES;

/// Which of the two data sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Ten classes; a record is one label byte, then the image.
    Cifar10,
    /// A hundred classes in twenty groups; a record is the group's (coarse) label, the fine label, then the image.
    Cifar100,
}

/// The files of a data set, by name, in the order their images are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileNames {
    /// The folder inside the official archive.
    pub folder: &'static str,
    /// The official archive.
    pub archive: &'static str,
    /// Files of training images.
    pub train: &'static [&'static str],
    /// Files of test images.
    pub test: &'static [&'static str],
    /// The list of class names, one a line. It may be missing.
    pub class_names: &'static str,
    /// The list of the coarse classes' names, of CIFAR-100 only. It may be missing; [`load`](crate::load) does not read it.
    pub coarse_names: Option<&'static str>,
}

/// The expected file names of `variant`.
#[must_use]
pub fn file_names(variant: Variant) -> FileNames {
    match variant {
        Variant::Cifar10 => FileNames {
            folder: "cifar-10-batches-bin",
            archive: "cifar-10-binary.tar.gz",
            train: &[
                "data_batch_1.bin",
                "data_batch_2.bin",
                "data_batch_3.bin",
                "data_batch_4.bin",
                "data_batch_5.bin",
            ],
            test: &["test_batch.bin"],
            class_names: "batches.meta.txt",
            coarse_names: None,
        },
        Variant::Cifar100 => FileNames {
            folder: "cifar-100-binary",
            archive: "cifar-100-binary.tar.gz",
            train: &["train.bin"],
            test: &["test.bin"],
            class_names: "fine_label_names.txt",
            coarse_names: Some("coarse_label_names.txt"),
        },
    }
}

impl Variant {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Cifar10, Self::Cifar100];

    /// Number of (fine) classes: 10 or 100.
    #[must_use]
    pub fn classes(self) -> usize {
        match self {
            Self::Cifar10 => 10,
            Self::Cifar100 => 100,
        }
    }

    /// Number of coarse classes: none, or 20.
    #[must_use]
    pub fn coarse_classes(self) -> Option<usize> {
        match self {
            Self::Cifar10 => None,
            Self::Cifar100 => Some(CIFAR100_COARSE.len()),
        }
    }

    /// Label bytes before each image on disk: 1 or 2.
    #[must_use]
    pub fn label_bytes(self) -> usize {
        match self {
            Self::Cifar10 => 1,
            Self::Cifar100 => 2,
        }
    }

    /// Bytes of a record on disk: 3,073 or 3,074.
    #[must_use]
    pub fn record_bytes(self) -> usize {
        self.label_bytes() + IMAGE_BYTES
    }

    /// Images in the official file of this name.
    pub(crate) fn official_count(self, file: &str) -> usize {
        match (self, file) {
            (Self::Cifar100, "train.bin") => 50_000,
            _ => 10_000,
        }
    }

    /// Name for people: "CIFAR-10" or "CIFAR-100".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cifar10 => "CIFAR-10",
            Self::Cifar100 => "CIFAR-100",
        }
    }

    /// The official names of the (fine) classes, by label.
    #[must_use]
    pub fn class_names(self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Cifar10 => &CIFAR10,
            Self::Cifar100 => &CIFAR100,
        };
        names.iter().map(ToString::to_string).collect()
    }

    /// The official names of the coarse classes, by label; empty for CIFAR-10.
    #[must_use]
    pub fn coarse_names(self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Cifar10 => &[],
            Self::Cifar100 => &CIFAR100_COARSE,
        };
        names.iter().map(ToString::to_string).collect()
    }
}

const CIFAR10: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

#[rustfmt::skip]
const CIFAR100: [&str; 100] = [
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
];

#[rustfmt::skip]
const CIFAR100_COARSE: [&str; 20] = [
    "aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables", "household_electrical_devices",
    "household_furniture", "insects", "large_carnivores", "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes", "large_omnivores_and_herbivores", "medium_mammals", "non-insect_invertebrates",
    "people", "reptiles", "small_mammals", "trees", "vehicles_1", "vehicles_2",
];
