//! Pictures in and out of files.

use crate::VizError;
use image::{
    DynamicImage, ImageDecoder, ImageEncoder, ImageReader, Rgb, RgbImage,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, Write},
    path::Path,
};

/// Writes `image` to `path` as PNG: into a new file beside it, which then takes its name, so that a reader never
/// sees half a picture.
///
/// # Errors
/// [`VizError::Write`] where the folder is missing, not writable or full, or where `path` is a folder.
pub fn save_png(image: &RgbImage, path: &Path) -> Result<(), VizError> {
    write_beside(path, |writer| {
        PngEncoder::new_with_quality(writer, CompressionType::Default, FilterType::Adaptive)
            .write_image(image.as_raw(), image.width(), image.height(), image::ExtendedColorType::Rgb8)
            .map_err(|e| match e {
                image::ImageError::IoError(e) => e,
                e => io::Error::other(e),
            })
    })
}

/// Writes `svg`, as [`Chart::svg`](crate::Chart::svg) makes it, to `path` as [`save_png`] does.
///
/// # Errors
/// As [`save_png`].
pub fn save_svg(svg: &str, path: &Path) -> Result<(), VizError> {
    write_beside(path, |writer| writer.write_all(svg.as_bytes()))
}

fn write_beside(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), VizError> {
    try_beside(path, write).map_err(|source| VizError::Write { path: path.to_owned(), source })
}

fn try_beside(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".picture-").suffix(".part");
    #[cfg(unix)]
    {
        // A temporary file is private by default; a picture gets what the umask allows.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder)?;
    let mut writer = BufWriter::new(file.as_file());
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    file.persist(path)?;
    Ok(())
}

/// Reads a picture (PNG, JPEG, BMP, GIF or WebP, told by its content, not its name) as 8-bit RGB. A photo's EXIF
/// orientation is applied; what is transparent becomes white.
///
/// # Errors
/// [`VizError::Read`] where the file cannot be opened or read, [`VizError::NotAnImage`] where it is no picture, is damaged, or is
/// unreasonably large.
pub fn read_image(path: &Path) -> Result<RgbImage, VizError> {
    let unreadable = |source| VizError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mut file = BufReader::new(file);
    // A folder opens but cannot be read; and a decoder would call both that and a broken disk "no image".
    let mut byte = [0];
    let _ = file.read(&mut byte).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    decode(file).map_err(|e| match e {
        image::ImageError::IoError(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
            unreadable(source)
        }
        source => VizError::NotAnImage { path: path.to_owned(), source },
    })
}

fn decode(file: BufReader<File>) -> image::ImageResult<RgbImage> {
    let reader = ImageReader::new(file).with_guessed_format()?;
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(if image.color().has_alpha() { on_white(&image) } else { image.into_rgb8() })
}

fn on_white(image: &DynamicImage) -> RgbImage {
    let image = image.to_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, a] = image.get_pixel(x, y).0;
        let mix = |v: u8| ((u32::from(v) * u32::from(a) + 255 * (255 - u32::from(a)) + 127) / 255) as u8;
        Rgb([mix(r), mix(g), mix(b)])
    })
}
