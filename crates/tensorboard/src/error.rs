use std::{io, path::PathBuf};

/// What can go wrong when events are written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorBoardError {
    /// A file or folder could not be read or written.
    #[error("{path}: cannot {action} ({source}); check that the folder exists, is writable and has room", path = .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A tag without a name.
    #[error("a tag should be a name such as `loss/train`, got an empty one")]
    Tag,
    /// A step beyond what an event can hold.
    #[error("a step should be at most {}, got {step}", i64::MAX)]
    Step {
        /// The step.
        step: u64,
    },
    /// A histogram of nothing.
    #[error("a histogram should have at least one value, got none")]
    Empty,
    /// A histogram of a value that no bucket holds.
    #[error(
        "a histogram should be of finite numbers, but value {index} is {value}; look for what made it so"
    )]
    NotFinite {
        /// The position of the first such value.
        index: usize,
        /// The value.
        value: f32,
    },
    /// Pixels that do not fill the picture.
    #[error("an image of {width}×{height} pixels should have {expected} bytes (red, green, blue), got {got}")]
    Pixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes that fill it.
        expected: usize,
        /// Bytes that were given.
        got: usize,
    },
    /// Bytes that are no PNG, or pixels that cannot be made one.
    #[error(
        "an image should be a whole PNG of at least one pixel ({source}); give the bytes of a PNG file, or its pixels"
    )]
    Png {
        /// What the library said.
        source: image::ImageError,
    },
}

impl TensorBoardError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
