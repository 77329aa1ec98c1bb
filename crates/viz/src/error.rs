use std::{io, path::PathBuf};

/// What can go wrong when a picture is drawn, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VizError {
    /// There is nothing that could be drawn.
    #[error("{figure}: {what} is empty; give at least one value")]
    Empty {
        /// The figure that was asked for.
        figure: &'static str,
        /// The argument that is empty.
        what: &'static str,
    },
    /// A slice is not as long as what it belongs to.
    #[error("{what}: expected {expected} values, got {got}; the slices must belong to the same data")]
    Length {
        /// The argument, and the figure it was given to.
        what: String,
        /// The length that fits.
        expected: usize,
        /// The length that was given.
        got: usize,
    },
    /// An option or a size is outside what can be drawn.
    #[error("{what}: expected {expected}, got {got}")]
    OutOfRange {
        /// The option or size.
        what: String,
        /// What is possible.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A heat map holds a value that has no place on a colour scale.
    #[error(
        "{what}: value {index} is {value}, but a heat map can only show finite numbers; look for what made it so"
    )]
    NotFinite {
        /// The map.
        what: String,
        /// The position of the first such value.
        index: usize,
        /// The value.
        value: f32,
    },
    /// The picture would be bigger than anyone can look at.
    #[error(
        "{figure}: the picture would be {width}×{height} pixels, over the limit of {limit} in all; give fewer images \
         or a smaller zoom"
    )]
    TooLarge {
        /// The figure that was asked for.
        figure: &'static str,
        /// Width in pixels.
        width: u64,
        /// Height in pixels.
        height: u64,
        /// The most pixels a picture may have.
        limit: u64,
    },
    /// A file could not be opened or read.
    #[error("{path}: cannot be read ({source}); check that the file exists and that you may read it", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file was read, but it is no picture, or a damaged one.
    #[error("{path}: expected an image (PNG, JPEG, BMP, GIF or WebP), got something else or a damaged file ({source})", path = .path.display())]
    NotAnImage {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: image::ImageError,
    },
    /// A picture could not be written.
    #[error("{path}: cannot be written ({source}); check that the folder exists, is writable and has room", path = .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A chart could not be drawn.
    #[error("{figure}: drawing failed ({detail})")]
    Draw {
        /// The figure that was asked for.
        figure: &'static str,
        /// What the drawing library said.
        detail: String,
    },
}

pub(crate) fn same_length(
    figure: &'static str,
    what: &str,
    expected: usize,
    got: usize,
) -> Result<(), VizError> {
    if expected == got {
        Ok(())
    } else {
        Err(VizError::Length { what: format!("{figure}: {what}"), expected, got })
    }
}
