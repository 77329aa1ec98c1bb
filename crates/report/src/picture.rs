//! Pictures within the page.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wick_viz::image::codecs::png::{CompressionType, FilterType, PngEncoder};
use wick_viz::image::{ExtendedColorType, ImageEncoder};
use wick_viz::{Photo, Size};

use crate::ReportError;

/// The first bytes of every PNG file.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture as an address that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// `data:image/png;base64,…`
    pub uri: String,
    pub size: Size,
}

impl Picture {
    /// A photo, as PNG.
    pub(crate) fn of(photo: Photo<'_>) -> Result<Self, ReportError> {
        let size = photo.size();
        let mut bytes = Vec::new();
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive)
            .write_image(photo.rgb(), size.width as u32, size.height as u32, ExtendedColorType::Rgb8)
            .map_err(|e| wick_viz::VizError::Write {
                path: "a picture".into(),
                source: io::Error::other(e),
            })?;
        Ok(Self { uri: uri(&bytes), size })
    }

    /// A PNG file that a stage wrote; none where it is not there.
    pub(crate) fn file(path: &Path, stage: &'static str) -> Result<Option<Self>, ReportError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(wick_viz::VizError::Read { path: path.to_owned(), source }.into()),
        };
        match dimensions(&bytes) {
            Some(size) => Ok(Some(Self { uri: uri(&bytes), size })),
            None => Err(ReportError::Unfit {
                path: path.to_owned(),
                expected: "a PNG picture".to_owned(),
                got: format!("{} bytes of something else", bytes.len()),
                stage,
            }),
        }
    }
}

fn uri(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}

/// Width and height stand in the first chunk, after the signature, its length and its name.
fn dimensions(png: &[u8]) -> Option<Size> {
    let side = |at: usize| {
        let bytes = png.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    };
    png.starts_with(SIGNATURE).then_some(Size { width: side(16)?, height: side(20)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_becomes_a_png_that_tells_its_size() {
        let picture = Picture::of(Photo::new(&[7; 2 * 3 * 3], 2, 3).unwrap()).unwrap();
        let bytes = STANDARD.decode(picture.uri.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        assert_eq!(dimensions(&bytes), Some(Size { height: 2, width: 3 }));
        assert_eq!(picture.size, Size { height: 2, width: 3 });
    }

    #[test]
    fn what_is_no_png_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.png");
        assert!(Picture::file(&path, "plot").unwrap().is_none());
        fs::write(&path, "<svg>").unwrap();
        let said = Picture::file(&path, "plot").unwrap_err().to_string();
        assert!(said.contains("expected a PNG picture, got 5 bytes") && said.contains("`plot`"), "{said}");
    }
}
