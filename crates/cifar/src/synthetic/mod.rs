//! A stand-in for CIFAR-10: ten classes of drawn shapes on noisy grounds.
//!
//! What makes it hard for a linear classifier and easy for a convolutional one: the class is the shape alone. Colour,
//! brightness (within [`picture`]'s bounds), place, size and angle are random, and every shape stays itself when
//! mirrored, shifted by a few pixels or covered by a hole of 16 × 16.

mod picture;
mod random;
mod shape;
mod texture;

use random::{Random, Stream};
use shape::Shape;

use crate::{Dataset, IMAGE_BYTES, Split, Variant};

/// Name of each of the stand-in's classes, by label.
pub const SHAPE_NAMES: [&str; 10] = [
    "disc",
    "ring",
    "square",
    "triangle",
    "plus",
    "star",
    "moon",
    "horizontal bars",
    "vertical bars",
    "checkers",
];

/// `n` drawn images, labels as in [`SHAPE_NAMES`]. Of each ten in a row every class has one, in random order.
///
/// Image `i` depends on `(seed, i)` alone: the first images of a longer split are those of a shorter one.
#[must_use]
pub fn synthetic(seed: u64, n: usize) -> Split {
    generate(seed, n, Stream::Train, Stream::TrainOrder)
}

/// A whole stand-in data set in CIFAR-10's layout. Its training images are those of [`synthetic`]; its test images are
/// drawn with other random numbers, so that none is among them.
#[must_use]
pub fn synthetic_dataset(seed: u64, n_train: usize, n_test: usize) -> Dataset {
    Dataset {
        variant: Variant::Cifar10,
        class_names: SHAPE_NAMES.iter().map(ToString::to_string).collect(),
        train: synthetic(seed, n_train),
        test: generate(seed, n_test, Stream::Test, Stream::TestOrder),
    }
}

fn generate(seed: u64, n: usize, stream: Stream, order: Stream) -> Split {
    let labels: Vec<u8> = (0..n.div_ceil(Shape::ALL.len()))
        .flat_map(|block| shuffled(&mut Random::new(seed, order, block as u64)))
        .take(n)
        .collect();
    let mut images = vec![0; n * IMAGE_BYTES];
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let share = n.div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for (part, (images, labels)) in
            images.as_chunks_mut().0.chunks_mut(share).zip(labels.chunks(share)).enumerate()
        {
            scope.spawn(move || {
                for (i, (image, &label)) in images.iter_mut().zip(labels).enumerate() {
                    let mut random = Random::new(seed, stream, (part * share + i) as u64);
                    picture::draw(Shape::ALL[usize::from(label)], &mut random, image);
                }
            });
        }
    });
    Split::trusted(images, labels, None)
}

/// The ten labels in random order (Fisher and Yates).
fn shuffled(random: &mut Random) -> [u8; Shape::ALL.len()] {
    let mut labels = std::array::from_fn(|label| label as u8);
    for last in (1..labels.len()).rev() {
        labels.swap(last, random.below(last + 1));
    }
    labels
}
