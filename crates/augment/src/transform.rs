//! The transforms, as data.

use serde::{Deserialize, Serialize};

/// One transform of a list.
///
/// In TOML or JSON it is a table whose `transform` names the variant in snake_case:
/// `{ transform = "random_crop", height = 32, width = 32 }`. An unknown key is an error.
///
/// The semantics are those of Albumentations 1.3.1. Every transform has a `p`, the probability with which it is
/// applied to an image. Where a list leaves it out it is 1, and ½ for the two flips. (Albumentations' own default is also ½
/// for rotation and coarse dropout; here what a list names happens, unless it says otherwise.) A transform that changes
/// the image's size must have `p` 1 or 0: all images of a batch have one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "transform", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transform {
    /// `(x/255 − mean) / std` per channel, on bytes `x`. Without it, values are `x/255`.
    Normalize {
        /// Mean of each channel, as a fraction of 255.
        #[serde(serialize_with = "short::array")]
        mean: [f32; 3],
        /// Standard deviation of each channel, as a fraction of 255; greater than 0.
        #[serde(serialize_with = "short::array")]
        std: [f32; 3],
        /// Probability; an image that is not normalised holds `x/255`.
        #[serde(default = "always", serialize_with = "short::number")]
        p: f32,
    },
    /// Mirrors left and right.
    HorizontalFlip {
        /// Probability; ½ where left out.
        #[serde(default = "half", serialize_with = "short::number")]
        p: f32,
    },
    /// Mirrors left and right by turns: each image is mirrored with probability `p` once and for all (keyed by seed and index),
    /// and all of them are the other way round in odd epochs. Each pair of epochs so sees both sides of every image.
    /// From Keller Jordan's airbench (<https://arxiv.org/abs/2404.00498>).
    AlternatingFlip {
        /// Probability of being mirrored in even epochs; ½ where left out.
        #[serde(default = "half", serialize_with = "short::number")]
        p: f32,
    },
    /// Adds pixels on all four sides.
    Pad {
        /// Pixels on each side.
        amount: usize,
        /// What is there.
        #[serde(default)]
        border: Border,
        /// Probability: 1 or 0.
        #[serde(default = "always", serialize_with = "short::number")]
        p: f32,
    },
    /// Adds pixels around the image until it has at least this size; of an odd number, one more goes below and right.
    PadIfNeeded {
        /// Least height.
        height: usize,
        /// Least width.
        width: usize,
        /// What is there.
        #[serde(default)]
        border: Border,
        /// Probability: 1 or 0, where the image is padded at all.
        #[serde(default = "always", serialize_with = "short::number")]
        p: f32,
    },
    /// Cuts out a window whose offsets are uniform integers, `0..=H−height` and `0..=W−width`.
    RandomCrop {
        /// Height of the window.
        height: usize,
        /// Width of the window.
        width: usize,
        /// Probability: 1 or 0, where anything is cut off at all.
        #[serde(default = "always", serialize_with = "short::number")]
        p: f32,
    },
    /// Cuts out the middle; of an odd number of pixels cut off, one more is cut off below and right.
    CenterCrop {
        /// Height of the window.
        height: usize,
        /// Width of the window.
        width: usize,
        /// Probability: 1 or 0, where anything is cut off at all.
        #[serde(default = "always", serialize_with = "short::number")]
        p: f32,
    },
    /// Turns the image about its centre, bilinearly, by an angle that is uniform in `±limit`; positive is anticlockwise.
    /// Bit for bit OpenCV's `warpAffine` on bytes.
    Rotate {
        /// Largest angle in degrees, 0 to 180.
        #[serde(serialize_with = "short::number")]
        limit: f32,
        /// What lies outside the image.
        #[serde(default)]
        border: Border,
        /// Probability.
        #[serde(default = "always", serialize_with = "short::number")]
        p: f32,
    },
    /// Overwrites rectangles of the final, normalised image (cutout).
    CoarseDropout {
        /// Number of holes; they may overlap.
        #[serde(default = "one")]
        holes: usize,
        /// Height of a hole.
        height: usize,
        /// Width of a hole.
        width: usize,
        /// What the holes are filled with.
        #[serde(default)]
        fill: Fill,
        /// Where holes may lie.
        #[serde(default)]
        placement: Placement,
        /// Probability, of all holes together.
        #[serde(default = "always", serialize_with = "short::number")]
        p: f32,
    },
}

/// What lies beyond an image's edge. In a list: `"reflect101"` or `{ constant = [0, 0, 0] }`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Border {
    /// The image mirrored about its outermost pixel, which is not repeated: `cb|abc|ba`.
    #[default]
    Reflect101,
    /// One colour, in bytes.
    Constant([u8; 3]),
}

/// What a hole is filled with. In a list: a number, three numbers, or `{ bytes = [r, g, b] }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a fill is a number, three numbers (normalised values), or { bytes = [red, green, blue] }"
)]
pub enum Fill {
    /// One normalised value for all channels; 0, the default, is the mean.
    Normalized(#[serde(serialize_with = "short::number")] f32),
    /// A normalised value for each channel.
    PerChannel(#[serde(serialize_with = "short::array")] [f32; 3]),
    /// A colour, normalised as a pixel would be: what filling before the normalisation comes to.
    Bytes {
        /// Red, green, blue.
        bytes: [u8; 3],
    },
}

impl Default for Fill {
    fn default() -> Self {
        Self::Normalized(0.0)
    }
}

/// Where a hole may lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Wholly inside the image: offsets uniform in `0..=H−height`, `0..=W−width`.
    #[default]
    Inside,
    /// Wholly inside a canvas of twice the image's height and width with the image in its middle, so that a hole may overhang the
    /// edge, or miss the image: what pad, coarse dropout and centre crop in a row come to. A 16×16 hole in a 32×32
    /// image erases (16/49)² = 10.7 % of it on average, and nothing in 1 − (47/49)² = 8.0 % of draws.
    Overhanging,
}

impl Transform {
    /// Normalisation of every image.
    pub const fn normalize(mean: [f32; 3], std: [f32; 3]) -> Self {
        Self::Normalize { mean, std, p: 1.0 }
    }

    /// The transform's name in a list: the variant in snake_case.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Normalize { .. } => "normalize",
            Self::HorizontalFlip { .. } => "horizontal_flip",
            Self::AlternatingFlip { .. } => "alternating_flip",
            Self::Pad { .. } => "pad",
            Self::PadIfNeeded { .. } => "pad_if_needed",
            Self::RandomCrop { .. } => "random_crop",
            Self::CenterCrop { .. } => "center_crop",
            Self::Rotate { .. } => "rotate",
            Self::CoarseDropout { .. } => "coarse_dropout",
        }
    }

    /// The probability with which it is applied.
    pub const fn probability(&self) -> f32 {
        match self {
            Self::Normalize { p, .. }
            | Self::HorizontalFlip { p }
            | Self::AlternatingFlip { p }
            | Self::Pad { p, .. }
            | Self::PadIfNeeded { p, .. }
            | Self::RandomCrop { p, .. }
            | Self::CenterCrop { p, .. }
            | Self::Rotate { p, .. }
            | Self::CoarseDropout { p, .. } => *p,
        }
    }
}

fn always() -> f32 {
    1.0
}

fn half() -> f32 {
    0.5
}

fn one() -> usize {
    1
}

/// Writes an f32 as the shortest decimal that reads back as it: formats that only know f64 would otherwise show `0.4914` as
/// `0.4913999915122986`.
mod short {
    use serde::{Serialize, Serializer};

    fn widen(x: f32) -> f64 {
        x.to_string().parse().unwrap_or_else(|_| f64::from(x))
    }

    // serde's signature
    pub(super) fn number<S: Serializer>(x: &f32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(widen(*x))
    }

    pub(super) fn array<S: Serializer>(x: &[f32; 3], serializer: S) -> Result<S::Ok, S::Error> {
        x.map(widen).serialize(serializer)
    }
}
