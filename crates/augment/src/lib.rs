//! Seeded image transforms, composed as data.
//!
//! A list of [`Transform`]s (plain data that reads and writes as TOML or JSON) is checked once, against the size of the
//! images it is for, and becomes an [`Augmentation`]. Two steps are kept apart from then on:
//!
//! - **drawing** the random parameters, keyed by (seed, epoch, image index) and by nothing else, so that neither the
//!   batch an image is in nor the thread that works on it changes what happens to it: [`Augmentation::draw`];
//! - **applying** drawn parameters to pixels, which is a pure function: [`Augmentation::apply`].
//!
//! For a GPU that keeps the images, [`packed`] has lists and draws as plain numbers, and the kernel that applies them.
//!
//! Images are row-major `(height, width, 3)` bytes, RGB; batches are channels-last `(N, H, W, 3)` `f32`.
//!
//! # Order
//!
//! Whatever the order of the list, the work is done as
//!
//! 1. **geometry on bytes**, in the order in which the list names it: pad, pad-if-needed, crops, flips, rotation;
//! 2. **normalisation**, `(x/255 − mean) / std` per channel (`x/255` where the list has no `normalize`);
//! 3. **fills**, in list order, on the normalised values: a coarse dropout's fill of 0 is the mean, and its holes are
//!    placed in the final image.
//!
//! So `[normalize, horizontal_flip, pad, random_crop, coarse_dropout]` and `[coarse_dropout, horizontal_flip, pad,
//! random_crop, normalize]` name the same augmentation (up to the random numbers, which each transform takes from
//! a stream of its own, chosen by its position in the list).
//!
//! ```
//! use wick_augment::{Augmentation, Border, Key, Size, Transform};
//!
//! let list = [
//!     Transform::normalize([0.4914, 0.4822, 0.4471], [0.2469, 0.2433, 0.2615]),
//!     Transform::HorizontalFlip { p: 0.5 },
//!     Transform::Pad { amount: 4, border: Border::Reflect101, p: 1.0 },
//!     Transform::RandomCrop { height: 32, width: 32, p: 1.0 },
//! ];
//! let augmentation = Augmentation::new(&list, Size::new(32, 32))?;
//!
//! let image = vec![128u8; 32 * 32 * 3];
//! let drawn = augmentation.draw(Key { seed: 1, epoch: 0, index: 7 });
//! let mut out = vec![0f32; augmentation.output().values()];
//! augmentation.apply(&drawn, &image, &mut out)?;
//! assert!((out[0] - (128.0 / 255.0 - 0.4914) / 0.2469).abs() < 1e-6);
//! # Ok::<(), wick_augment::AugmentError>(())
//! ```

mod ahead;
mod augmentation;
mod check;
mod draw;
mod error;
mod geometry;
pub mod packed;
pub mod random;
mod render;
mod size;
mod tone;
mod transform;

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use ahead::{Ahead, ahead};
pub use augmentation::Augmentation;
pub use draw::{Drawn, Hole, Step};
pub use error::AugmentError;
pub use packed::{PackedList, Packer};
pub use random::Key;
pub use size::{CHANNELS, MAX_SIDE, Size};
pub use transform::{Border, Fill, Placement, Transform};
