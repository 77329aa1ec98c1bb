//! Image sizes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Channels of every image: red, green, blue.
pub const CHANNELS: usize = 3;

/// The longest side, in pixels, that an image may have at any point of a list. (The rotation's fixed-point coordinates
/// and the random offsets are exact up to here.)
pub const MAX_SIDE: usize = 8192;

/// An image's height and width in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Size {
    /// `height` rows of `width` pixels.
    pub const fn new(height: usize, width: usize) -> Self {
        Self { height, width }
    }

    /// Values in an image of this size: `height · width · 3`.
    pub const fn values(self) -> usize {
        self.height * self.width * CHANNELS
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.height, self.width)
    }
}
