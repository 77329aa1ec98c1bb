//! CIFAR-10/100 binary files, and a generated stand-in, to bytes and labels.
//!
//! [`load`] reads the official binary files from a folder or straight from the `.tar.gz`; [`synthetic_dataset`]
//! draws a stand-in of the same layout, for when there is nothing to read. Either gives a [`Dataset`]: two
//! [`Split`]s of `(32, 32, 3)` images (rows, columns, channels red-green-blue; one byte each) and their labels.
//!
//! ```
//! let dataset = wick_cifar::synthetic_dataset(7, 200, 50);
//! let folder = tempfile::tempdir()?;
//! wick_cifar::write_folder(&dataset, folder.path())?; // the layout of cifar-10-batches-bin
//!
//! let again = wick_cifar::load(folder.path())?;
//! assert_eq!(again.train.len(), 200);
//! assert_eq!(again.test.image(0), dataset.test.image(0)); // 32 × 32 × 3 bytes
//! let name = &again.class_names[usize::from(again.train.label(0))];
//! assert!(wick_cifar::SHAPE_NAMES.contains(&name.as_str()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod dataset;
mod error;
mod folder;
mod names;
mod records;
mod synthetic;
mod variant;
mod write;

pub use dataset::{Dataset, Split};
pub use error::CifarError;
pub use folder::load;
pub use synthetic::{SHAPE_NAMES, synthetic, synthetic_dataset};
pub use variant::{FileNames, Variant, file_names};
pub use write::write_folder;

/// Rows of an image.
pub const HEIGHT: usize = 32;
/// Columns of an image.
pub const WIDTH: usize = 32;
/// Channels of an image: red, green, blue.
pub const CHANNELS: usize = 3;
/// Bytes of an image, in memory `(HEIGHT, WIDTH, CHANNELS)`, on disk `(CHANNELS, HEIGHT, WIDTH)`.
pub const IMAGE_BYTES: usize = HEIGHT * WIDTH * CHANNELS;
