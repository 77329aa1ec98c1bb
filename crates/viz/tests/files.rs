//! Reading and writing pictures.

use std::{fs, path::Path};
use wick_viz::{
    RgbImage, VizError,
    image::{ImageFormat, Rgb, Rgba, RgbaImage},
    read_image, save_png, save_svg,
};

fn picture() -> RgbImage {
    RgbImage::from_fn(7, 5, |x, y| Rgb([x as u8 * 30, y as u8 * 50, 200]))
}

#[test]
fn what_is_saved_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    save_png(&picture(), &path).unwrap();
    assert_eq!(read_image(&path).unwrap(), picture());
    save_png(&RgbImage::new(2, 2), &path).unwrap();
    assert_eq!(read_image(&path).unwrap().dimensions(), (2, 2), "an older picture is replaced");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn an_svg_is_written_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.svg");
    save_svg("<svg/>", &path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "<svg/>");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    assert!(matches!(save_svg("", &folder.path().join("no/a.svg")), Err(VizError::Write { .. })));
}

#[test]
fn a_picture_that_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/folder/a.png");
    let error = save_png(&picture(), &missing).unwrap_err();
    assert!(matches!(&error, VizError::Write { path, .. } if *path == missing));
    assert!(error.to_string().contains("cannot be written"), "{error}");
    let taken = folder.path().join("taken.png");
    fs::create_dir(&taken).unwrap();
    assert!(matches!(save_png(&picture(), &taken), Err(VizError::Write { .. })));
    assert!(matches!(
        save_png(&RgbImage::new(0, 0), &folder.path().join("e.png")),
        Err(VizError::Write { .. })
    ));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn others_may_read_it_where_the_umask_allows() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (ours, plain) = (folder.path().join("a.png"), folder.path().join("plain"));
    save_png(&picture(), &ours).unwrap();
    fs::write(&plain, "").unwrap();
    let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&ours), mode(&plain));
}

#[test]
fn the_content_tells_the_format() {
    let folder = tempfile::tempdir().unwrap();
    for format in [ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP]
    {
        let path = folder.path().join("photo.dat");
        RgbImage::from_pixel(9, 4, Rgb([90, 90, 90])).save_with_format(&path, format).unwrap();
        let read = read_image(&path).unwrap();
        assert_eq!(read.dimensions(), (9, 4), "{format:?}");
        assert!(read.pixels().all(|p| p.0.iter().all(|v| v.abs_diff(90) <= 2)), "{format:?}");
    }
}

#[test]
fn transparent_is_white() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("glass.png");
    let glass = |x, _| Rgba([0, 100, 200, [0, 51, 255][x as usize]]);
    RgbaImage::from_fn(3, 1, glass).save(&path).unwrap();
    // 51/255 is a fifth: 0.8·255 + 0.2·(0, 100, 200) = (204, 224, 244).
    assert_eq!(read_image(&path).unwrap().into_raw(), [255, 255, 255, 204, 224, 244, 0, 100, 200]);
}

#[test]
fn no_image_is_told_from_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.png");
    assert!(matches!(read_image(&path), Err(VizError::Read { .. })));
    assert!(matches!(read_image(folder.path()), Err(VizError::Read { .. })));
    save_png(&picture(), &path).unwrap();
    let whole = fs::read(&path).unwrap();
    for bytes in [
        &b""[..],
        b"GIF89a",
        b"just some text, long enough to hold any magic",
        &whole[..whole.len() / 2],
        &whole[..9],
    ] {
        fs::write(&path, bytes).unwrap();
        let error = read_image(&path).unwrap_err();
        assert!(matches!(&error, VizError::NotAnImage { .. }), "{} bytes: {error:?}", bytes.len());
        assert!(error.to_string().contains("photo.png: expected an image"), "{error}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    #[test]
    fn damaged_files_never_panic(at in 0usize..200, value: u8, length in 0usize..200) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        save_png(&picture(), &path).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let n = bytes.len();
        bytes[at % n] = value;
        bytes.truncate(length.max(1));
        fs::write(&path, &bytes).unwrap();
        let _ = read_image(&path);
    }
}
