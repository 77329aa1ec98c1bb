//! Pictures of maps.

use anyhow::Result;
use wick_cifar::{HEIGHT, IMAGE_BYTES, WIDTH};
use wick_viz::{
    CamCase, CamComparisonOptions, CamGridOptions, ComparedCams, HeatMap, Photo, RgbImage, cam_comparison,
    cam_grid,
};

use super::images::Images;
use super::maps::{Cams, Explainer};

/// Image, map and overlay of each image.
pub fn grid(explainer: &Explainer<'_>, images: &Images, cams: &Cams) -> Result<RgbImage> {
    let cases = photos(images)?
        .into_iter()
        .enumerate()
        .map(|(row, image)| {
            let (truth, predicted, probability) = said(explainer, images, cams, row);
            Ok(CamCase { image, map: map(cams, row)?, truth, predicted, probability })
        })
        .collect::<Result<Vec<_>>>()?;
    let title = title(explainer, images, cams.method.title());
    Ok(cam_grid(&cases, &CamGridOptions { title: Some(title), ..Default::default() })?)
}

/// Each image with its maps by several methods; `all` is not empty.
pub fn side_by_side(explainer: &Explainer<'_>, images: &Images, all: &[Cams]) -> Result<RgbImage> {
    let photos = photos(images)?;
    let maps = (0..photos.len())
        .map(|row| all.iter().map(|cams| map(cams, row)).collect::<Result<Vec<_>>>())
        .collect::<Result<Vec<_>>>()?;
    let cases: Vec<ComparedCams<'_>> = photos
        .into_iter()
        .enumerate()
        .map(|(row, image)| {
            let (truth, predicted, probability) = said(explainer, images, &all[0], row);
            ComparedCams { image, maps: &maps[row], truth, predicted, probability }
        })
        .collect();
    let columns: Vec<&str> = all.iter().map(|cams| cams.method.title()).collect();
    let title = title(explainer, images, &format!("{} methods", all.len()));
    let options = CamComparisonOptions { title: Some(title), ..Default::default() };
    Ok(cam_comparison(&columns, &cases, &options)?)
}

fn title(explainer: &Explainer<'_>, images: &Images, how: &str) -> String {
    let count = match images.indices.len() {
        0 => String::new(), // a photo from elsewhere
        1 => ": 1 image".to_owned(),
        n => format!(": {n} images"),
    };
    format!("{how} for {}{count}", explainer.words())
}

fn photos(images: &Images) -> Result<Vec<Photo<'_>>> {
    images.bytes.chunks(IMAGE_BYTES).map(|image| Ok(Photo::new(image, HEIGHT, WIDTH)?)).collect()
}

fn map(cams: &Cams, row: usize) -> Result<HeatMap<'_>> {
    Ok(HeatMap::new(&cams.maps[row].values, HEIGHT, WIDTH)?)
}

/// True class, predicted class and its probability.
fn said<'a>(explainer: &Explainer<'a>, images: &Images, cams: &Cams, row: usize) -> (&'a str, &'a str, f64) {
    let names = explainer.class_names;
    let truth = images.truth.get(row).map_or("", |&t| &names[t]);
    (truth, &names[cams.predicted[row]], f64::from(cams.probability[row]))
}
