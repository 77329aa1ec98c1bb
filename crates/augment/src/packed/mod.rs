//! What a list does to an image as a few plain numbers, for a GPU that keeps the images and works on one pixel a thread.
//!
//! An [`Augmentation`]'s [`packed`](Augmentation::packed) form, a [`PackedList`], holds what is the same for all images. Its
//! [`Packer`] writes what was drawn for one of them as [`stride`](PackedList::stride) words. [`KERNEL`] is a CUDA kernel that
//! reads both, and [`PackedList::apply`] does what one of its threads does, pixel by pixel, on the CPU: bit for bit
//! [`Augmentation::apply`].
//!
//! # The words of an image
//!
//! All are `i16`. `H` and `W` are the height and the width of the output, `R` and `S` those of what is rotated (0 where the
//! list has no rotation), `n` is the number of holes of all the list's dropouts.
//!
//! | words | what |
//! |---|---|
//! | 1 | 1 if the image is normalised, else 0 |
//! | 1 | 1 if it is rotated, else 0 |
//! | H | for each row of the output: the row of the image, or of the rotated image, from which it comes, or a colour's code |
//! | W | the same for columns |
//! | 4·n | for each hole: first row, first column, and the row and column after its last; all 0 where it is not there |
//! | 24 | the rotation's inverse: `ax ay a0 bx by b0`, each an f64 in four words, lowest bits first |
//! | R | for each row of what is rotated: the row of the image, or a colour's code |
//! | S | the same for columns |
//!
//! The last three are absent from lists without a rotation, and 0 for an image that is not rotated.
//!
//! A code is negative. A pixel whose row or column is one has the colour at [`COLORS`]` + !code` of
//! [`integers`](PackedList::integers); of two codes the lower one holds.
//!
//! Pixel `(y, x)` of a rotated image lies at `(fixed(ax·x) + fixed(ay·y + a0), fixed(bx·x) + fixed(by·y + b0))` of what is
//! rotated, x first; `fixed` multiplies by 1024 and rounds to the nearest integer, ties to even, and no product and sum are fused.
//! OpenCV's rounding to 1/32 pixel and its bilinear weights follow, in integers.
//!
//! # What is the same for all images
//!
//! [`integers`](PackedList::integers) are [`INPUT_HEIGHT`], `INPUT_WIDTH`, [`OUTPUT_HEIGHT`], `OUTPUT_WIDTH`, [`HOLES`], [`STRIDE`],
//! [`ROTATED_HEIGHT`], `ROTATED_WIDTH` (0 where the list has no rotation), [`BORDER`] (0 where a rotation finds the image mirrored
//! beyond its edge, otherwise a colour's code), and from [`COLORS`] on a colour for each transform of the list, `red + 256·green +
//! 65536·blue`.
//!
//! [`values`](PackedList::values) are the tables, `(2, 3, 256)`: `x/255` first, then normalised, for each channel and byte; and from
//! [`FILLS`] on what the holes are filled with, `(2, n, 3)`: in an image that is not normalised, then in one that is.

mod check;
mod layout;
mod packer;
mod thread;

use crate::augmentation::{Augmentation, expect_length};
use crate::error::AugmentError;
use crate::geometry::{color, color_code};
use crate::size::{CHANNELS, MAX_SIDE, Size};
use crate::transform::{Border, Transform};

use layout::Layout;
use thread::Thread;

pub use packer::Packer;

/// CUDA C++ for a run-time compiler: no header is needed. Its function `augment` is documented where it stands.
pub const KERNEL: &str = include_str!("kernel.cu");

/// Place, in [`PackedList::integers`], of the height of the images; their width is next to it.
pub const INPUT_HEIGHT: usize = 0;
/// Place of the height of what is made of them; the width is next to it.
pub const OUTPUT_HEIGHT: usize = 2;
/// Place of the number of holes.
pub const HOLES: usize = 4;
/// Place of the number of words an image.
pub const STRIDE: usize = 5;
/// Place of the height of what is rotated; the width is next to it.
pub const ROTATED_HEIGHT: usize = 6;
/// Place of what lies outside of what is rotated.
pub const BORDER: usize = 8;
/// Place of the first transform's colour.
pub const COLORS: usize = 9;

/// Place, in [`PackedList::values`], of the first hole's fill.
pub const FILLS: usize = 2 * TABLE;
/// Values of one table.
const TABLE: usize = CHANNELS * 256;

/// More transforms than this have no codes that fit a word.
const MOST_TRANSFORMS: usize = 1 << 15;

// Rows and columns fit a word.
const _: () = assert!(MAX_SIDE <= i16::MAX as usize);

/// A list in the form that [the module](self) describes.
///
/// ```
/// use wick_augment::{Augmentation, Key, Size, Transform};
///
/// let list = [Transform::HorizontalFlip { p: 0.5 }, Transform::Rotate { limit: 5.0, border: Default::default(), p: 0.5 }];
/// let augmentation = Augmentation::new(&list, Size::new(32, 32))?;
/// let packed = augmentation.packed()?;
///
/// let mut words = Vec::new();
/// let mut packer = packed.packer();
/// for index in [7, 3] {
///     packer.pack_key(Key { seed: 1, epoch: 0, index }, &mut words);
/// }
/// assert_eq!(words.len(), 2 * packed.stride());
///
/// let image = vec![128u8; 32 * 32 * 3];
/// let mut out = vec![0f32; packed.output().values()];
/// packed.apply(&words[packed.stride()..], &image, &mut out)?; // what a GPU makes of image 3
/// assert_eq!(out[0], 128.0 / 255.0);
/// # Ok::<(), wick_augment::AugmentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PackedList {
    augmentation: Augmentation,
    layout: Layout,
    integers: Vec<i32>,
    values: Vec<f32>,
}

impl Augmentation {
    /// The list in the form in which a GPU applies it.
    ///
    /// # Errors
    ///
    /// [`AugmentError::Unpackable`] for a list with more than one rotation, even if it is never applied, and for one of more
    /// than 32,768 transforms.
    pub fn packed(&self) -> Result<PackedList, AugmentError> {
        let transforms = self.transforms();
        let refuse = |position: usize, allowed: &'static str| {
            let transform = transforms[position].name();
            Err(AugmentError::Unpackable { position, transform, allowed })
        };
        if transforms.len() > MOST_TRANSFORMS {
            return refuse(MOST_TRANSFORMS, "32768 transforms");
        }
        let is_rotation = |position: &usize| matches!(transforms[*position], Transform::Rotate { .. });
        let mut rotations = (0..transforms.len()).filter(is_rotation);
        let rotation = rotations.next();
        if let Some(second) = rotations.next() {
            return refuse(second, "one rotation");
        }
        Ok(PackedList::new(self.clone(), rotation))
    }
}

impl PackedList {
    fn new(augmentation: Augmentation, rotation: Option<usize>) -> Self {
        let transforms = augmentation.transforms();
        let (input, output) = (augmentation.input(), augmentation.output());
        let rotated = rotation.map(|position| augmentation.stages()[position].before);
        let dropouts = || {
            transforms.iter().filter_map(|transform| match transform {
                Transform::CoarseDropout { holes, fill, .. } => Some((*holes, *fill)),
                _ => None,
            })
        };
        let holes = dropouts().map(|(holes, _)| holes).sum();
        let layout = Layout::new(output, holes, rotated);
        let border = rotation.map_or(0, |position| match transforms[position] {
            Transform::Rotate { border: Border::Constant(_), .. } => color_code(position),
            _ => 0,
        });
        let sides = [input, output].map(|size| [size.height, size.width]);
        let Size { height, width } = rotated.unwrap_or(Size::new(0, 0));
        let [[input_height, input_width], [output_height, output_width]] = sides;
        let numbers =
            [input_height, input_width, output_height, output_width, holes, layout.stride(), height, width];
        let mut integers: Vec<i32> = numbers.iter().map(|number| *number as i32).collect();
        integers.push(border);
        integers.extend((0..transforms.len()).map(|position| {
            let [red, green, blue] = color(transforms, color_code(position));
            i32::from_le_bytes([red, green, blue, 0])
        }));
        let tones = augmentation.tones();
        let mut values: Vec<f32> =
            tones.iter().flat_map(|tone| tone.table().as_flattened()).copied().collect();
        for tone in tones {
            values.extend(dropouts().flat_map(|(holes, fill)| tone.values(fill).repeat(holes)));
        }
        Self { augmentation, layout, integers, values }
    }

    /// The size of the images it takes.
    pub fn input(&self) -> Size {
        self.augmentation.input()
    }

    /// The size of the images it makes.
    pub fn output(&self) -> Size {
        self.augmentation.output()
    }

    /// Words an image.
    pub fn stride(&self) -> usize {
        self.layout.stride()
    }

    /// Sizes and colours, laid out as [the module](self) says.
    pub fn integers(&self) -> &[i32] {
        &self.integers
    }

    /// Tables and fills, laid out as [the module](self) says.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Makes words of what is drawn.
    pub fn packer(&self) -> Packer<'_> {
        Packer::new(self)
    }

    /// Does to `image`, row-major `(H, W, 3)` bytes of the input size, what `words` say, and writes `out`, row-major `(H', W', 3)` of
    /// the output size. Each pixel is made alone, as by a GPU's thread: a reference, and slow.
    ///
    /// # Errors
    ///
    /// [`AugmentError::Length`] for a slice of another length; [`AugmentError::Words`] for words that no [`Packer`] of this list
    /// writes.
    pub fn apply(&self, words: &[i16], image: &[u8], out: &mut [f32]) -> Result<(), AugmentError> {
        let (input, output) = (self.input(), self.output());
        expect_length("an image's words", self.stride(), words.len())?;
        expect_length("the image, (H, W, 3) bytes", input.values(), image.len())?;
        expect_length("the augmented image, (H, W, 3) values", output.values(), out.len())?;
        self.check(words)?;
        let thread = Thread { list: self, words, image };
        for (pixel, out) in out.chunks_exact_mut(CHANNELS).enumerate() {
            out.copy_from_slice(&thread.pixel(pixel / output.width, pixel % output.width));
        }
        Ok(())
    }
}
