//! Pictures of maps.

use anyhow::Result;
use wick_cifar::{HEIGHT, IMAGE_BYTES, WIDTH};
use wick_viz::{
    CamCase, CamComparisonOptions, CamGridOptions, CamGroup, ComparedCams, HeatMap, Photo, RgbImage,
    cam_comparison, cam_grid,
};

use super::images::{Chosen, Images};
use super::maps::{Cams, Explainer};
use super::tell;
use super::view::Words;

/// Image, map and overlay of each image by a method, at several places side by side; `all` is not empty.
pub fn grid(explainer: &Explainer<'_>, images: &Images, all: &[Cams]) -> Result<RgbImage> {
    let mut cases = Vec::new();
    for (row, image) in photos(images)?.into_iter().enumerate() {
        for cams in all {
            let (truth, predicted, probability) = said(explainer, images, cams, row);
            cases.push(CamCase {
                image,
                index: index(images, row),
                map: map(cams, row)?,
                truth,
                predicted,
                probability,
            });
        }
    }
    let words = explainer.words(all);
    let method = all.first().map_or("", |cams| cams.view.method.title());
    let title = Some(format!("{}: {}", Words::title(&words, method), images.words()));
    let heads = match all {
        [_] => Vec::new(),
        _ => Words::lines(&words).iter().map(|lines| lines.join(" ")).collect(),
    };
    Ok(cam_grid(&cases, &CamGridOptions { title, heads, overlay: explainer.overlay, ..Default::default() })?)
}

/// Each image with its maps by several methods, or at several places; `all` is not empty.
pub fn side_by_side(explainer: &Explainer<'_>, images: &Images, all: &[Cams]) -> Result<RgbImage> {
    let photos = photos(images)?;
    let maps = (0..photos.len())
        .map(|row| all.iter().map(|cams| map(cams, row)).collect::<Result<Vec<_>>>())
        .collect::<Result<Vec<_>>>()?;
    let case = |(row, image)| {
        let (truth, predicted, probability) = said(explainer, images, &all[0], row);
        ComparedCams { image, index: index(images, row), maps: &maps[row], truth, predicted, probability }
    };
    let cases: Vec<ComparedCams<'_>> = photos.into_iter().enumerate().map(case).collect();
    // Named images stand in the order in which they were named.
    let is_right = |row: usize| match (&images.chosen, &images.judged) {
        (Chosen::Judged, Some(judged)) => judged[row].is_right(),
        _ => false,
    };
    let (right, wrong): (Vec<_>, Vec<_>) = cases.into_iter().enumerate().partition(|(row, _)| is_right(*row));
    let [wrong, right] = [wrong, right].map(|cases| cases.into_iter().map(|case| case.1).collect::<Vec<_>>());
    let is_mixed = !wrong.is_empty() && !right.is_empty();
    let group = |heading, cases| CamGroup { heading: is_mixed.then_some(heading), cases };
    let groups = [group("Misclassified", &wrong), group("Right, but unsure", &right)];
    let words = explainer.words(all);
    let columns: Vec<String> =
        all.iter().zip(Words::lines(&words)).map(|(cams, lines)| head(cams, lines)).collect();
    let methods = all.chunk_by(|a, b| a.view.method == b.view.method).count();
    let what = match &all[0] {
        cams if methods == 1 => cams.view.method.title().to_owned(),
        _ => format!("{methods} methods"),
    };
    let title = format!("{}: {}", Words::title(&words, &what), images.words());
    let options =
        CamComparisonOptions { title: Some(title), overlay: explainer.overlay, ..Default::default() };
    Ok(cam_comparison(&columns, &groups, &options)?)
}

/// The lines above a column: the method, and what tells it from the others.
fn head(cams: &Cams, lines: Vec<String>) -> String {
    [vec![cams.view.method.title().to_owned()], lines].concat().join("\n")
}

fn photos(images: &Images) -> Result<Vec<Photo<'_>>> {
    images.bytes.chunks(IMAGE_BYTES).map(|image| Ok(Photo::new(image, HEIGHT, WIDTH)?)).collect()
}

fn map(cams: &Cams, row: usize) -> Result<HeatMap<'_>> {
    let map = HeatMap::new(&cams.maps[row].values, HEIGHT, WIDTH)?;
    Ok(map.flat_since(tell::nothing(cams, row)))
}

/// An image's number in the data set; a photo from elsewhere has none.
fn index(images: &Images, row: usize) -> Option<usize> {
    images.indices.get(row).copied()
}

/// True class, predicted class and its probability.
fn said<'a>(explainer: &Explainer<'a>, images: &Images, cams: &Cams, row: usize) -> (&'a str, &'a str, f64) {
    let names = explainer.class_names;
    let truth = images.truth.get(row).map_or("", |&t| &names[t]);
    (truth, &names[cams.predicted[row]], f64::from(cams.probability[row]))
}
