//! Pictures within the page.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wick_viz::image::codecs::jpeg::JpegEncoder;
use wick_viz::image::codecs::png::{CompressionType, FilterType, PngEncoder};
use wick_viz::image::{ExtendedColorType, ImageEncoder, ImageError};
use wick_viz::{Photo, Size, VizError, read_image};

use crate::ReportError;

/// The first bytes of every PNG file.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// How well a JPEG keeps what is drawn: letters stay clean.
const QUALITY: u8 = 88;

/// A picture as an address that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// `data:image/png;base64,…`, or JPEG.
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
            .map_err(unwritten)?;
        Ok(Self { uri: uri("png", &bytes), size })
    }

    /// A PNG file that a stage wrote; none where it is not there.
    pub(crate) fn file(path: &Path, stage: &'static str) -> Result<Option<Self>, ReportError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(VizError::Read { path: path.to_owned(), source }.into()),
        };
        match dimensions(&bytes) {
            Some(size) => Ok(Some(Self { uri: uri("png", &bytes), size })),
            None => Err(unfit(path, format!("{} bytes of something else", bytes.len()), stage)),
        }
    }

    /// The same as JPEG where that is smaller, as it is of photos with colours over them.
    pub(crate) fn small_file(path: &Path, stage: &'static str) -> Result<Option<Self>, ReportError> {
        let Some(picture) = Self::file(path, stage)? else { return Ok(None) };
        let drawn = read_image(path).map_err(|error| unfit(path, error.to_string(), stage))?;
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        drawn.write_with_encoder(encoder).map_err(unwritten)?;
        let small = Self { uri: uri("jpeg", &bytes), size: picture.size };
        Ok(Some(if small.uri.len() < picture.uri.len() { small } else { picture }))
    }

    /// Bytes that it takes in the page.
    pub(crate) fn bytes(&self) -> usize {
        self.uri.len()
    }
}

fn uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
}

fn unfit(path: &Path, got: String, stage: &'static str) -> ReportError {
    ReportError::Unfit { path: path.to_owned(), expected: "a PNG picture".to_owned(), got, stage }
}

fn unwritten(error: ImageError) -> VizError {
    VizError::Write { path: "a picture".into(), source: io::Error::other(error) }
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
    fn a_photo_is_smaller_as_jpeg_and_plain_colour_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classes.png");
        let small = |pixel: fn(u32, u32) -> [u8; 3]| {
            let drawn = wick_viz::RgbImage::from_fn(96, 96, |x, y| wick_viz::image::Rgb(pixel(x, y)));
            wick_viz::save_png(&drawn, &path).unwrap();
            let small = Picture::small_file(&path, "gradcam").unwrap().unwrap();
            assert_eq!(small.size, Size { height: 96, width: 96 });
            (small.bytes(), Picture::file(&path, "gradcam").unwrap().unwrap().bytes(), small.uri)
        };
        // Shades with noise over them: much like a photo.
        let (photo, whole, uri) = small(|x, y| {
            let hash = (x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77)).wrapping_mul(0xc2b2_ae3d);
            [x, y, 100].map(|shade| (shade + (hash >> 27)) as u8)
        });
        assert!(photo < whole && uri.starts_with("data:image/jpeg;base64,"), "{photo} of {whole} bytes");
        let (plain, whole, uri) = small(|_, _| [9, 99, 199]);
        assert!(plain == whole && uri.starts_with("data:image/png;base64,"), "{plain} of {whole} bytes");
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
