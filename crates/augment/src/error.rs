//! What can be wrong with a list of transforms, or with what it is given.

use thiserror::Error;

use crate::size::{MAX_SIDE, Size};

/// Why a list was refused, or could not be applied. Positions count the list's entries from 0.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum AugmentError {
    /// A transform's parameter is out of range, taken alone or for the image it would get.
    #[error("transforms[{position}] ({transform}): {key} = {value} is not possible; it must be {allowed}")]
    Value {
        /// Position in the list, from 0.
        position: usize,
        /// The transform's name, as in the list.
        transform: &'static str,
        /// The parameter.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: String,
    },

    /// The list normalises twice.
    #[error(
        "transforms[{first}] and transforms[{second}] are both `normalize`, which a list may hold once; \
         keep the one with the mean and standard deviation of your data"
    )]
    TwoNormalize {
        /// Position of the first, from 0.
        first: usize,
        /// Position of the second, from 0.
        second: usize,
    },

    /// The images that a list is for have no pixels, or too many.
    #[error("images of {size} cannot be augmented; each side must be 1 to {MAX_SIDE} pixels")]
    InputSize {
        /// The size given.
        size: Size,
    },

    /// The list makes images of another size than is needed.
    #[error(
        "the transforms turn {input} images into {got} ones, but {expected} is needed; \
         end the list's geometry with `random_crop` or `center_crop` (after `pad_if_needed`, where images are too small)"
    )]
    OutputSize {
        /// The images' size.
        input: Size,
        /// The size that is needed.
        expected: Size,
        /// The size that the list makes.
        got: Size,
    },

    /// A slice has the wrong length.
    #[error("{what}: expected {expected} values, got {got}")]
    Length {
        /// Which slice, and how it is laid out.
        what: &'static str,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        got: usize,
    },

    /// A batch asks for an image that is not there.
    #[error("image {index} is asked for, but there are only {count} images (0 to {})", .count.saturating_sub(1))]
    Index {
        /// The index asked for.
        index: usize,
        /// Images there are.
        count: usize,
    },

    /// Parameters that another list drew, or that were changed to something impossible.
    #[error(
        "drawn parameters, step {position}: expected {expected}, got {got}; draw them from the list they are applied with"
    )]
    Drawn {
        /// Position of the step, from 0.
        position: usize,
        /// What the list's transform there would draw.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A list that the packed form cannot hold.
    #[error(
        "transforms[{position}] ({transform}) cannot be packed for a GPU: a packed list holds at most {allowed}; \
         take it out, or augment on the CPU"
    )]
    Unpackable {
        /// Position, from 0, of the first transform that is too much.
        position: usize,
        /// The transform's name, as in the list.
        transform: &'static str,
        /// How much of what can be held.
        allowed: &'static str,
    },

    /// Packed words of another list, or that were changed to something impossible.
    #[error(
        "packed words, word {word}: expected {expected}, got {got}; pack them from the list they are applied with"
    )]
    Words {
        /// Which word of the image's, from 0.
        word: usize,
        /// What may be there.
        expected: String,
        /// What is.
        got: String,
    },
}
