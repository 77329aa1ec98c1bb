//! Where the network looks in each class, on average.

use std::path::PathBuf;

use anyhow::Result;
use wick_cifar::{HEIGHT, IMAGE_BYTES, WIDTH};
use wick_gradcam::Method;
use wick_runs::RunDir;
use wick_viz::{ClassCam, ClassCamsOptions, HeatMap, Photo, RgbImage, class_cams, save_png};

use super::args::Args;
use super::images::{Images, Judged, correct_of_each_class};
use super::maps::{Cams, Explainer};
use super::methods::is_slow;
use super::view::Words;
use crate::progress::counting;
use crate::source::Subject;

/// Correct images of each class whose maps are averaged, unless told.
const PER_CLASS: usize = 20;

/// The mean of some images, and of their maps.
struct Average {
    name: String,
    image: Vec<u8>,
    map: Vec<f32>,
    images: usize,
}

/// How many images of each class are averaged.
pub fn count(args: &Args) -> usize {
    let usual = if args.indices.is_none() { PER_CLASS } else { 0 };
    args.per_class.unwrap_or(usual)
}

/// Draws each method's averages, several places side by side, and returns the files; none where no image is to be averaged.
pub fn averages(
    args: &Args,
    subject: &Subject,
    explainer: &Explainer<'_>,
    (methods, judged): (&[Method], &[Judged]),
    dir: &RunDir,
) -> Result<Vec<PathBuf>> {
    let (split, _) = subject.data.judging();
    let of_classes = correct_of_each_class(judged, explainer.class_names.len(), count(args));
    let images = Images::judged(split, of_classes);
    let n = images.indices.len();
    // A pass for each channel of some two hundred images takes minutes: only where it was asked for.
    let is_left_out = |method: Method| n == 0 || (is_slow(method) && args.per_class.is_none());
    let methods: Vec<Method> = methods.iter().copied().filter(|&method| !is_left_out(method)).collect();
    let mut bar = counting("averages", explainer.views(&methods).len() * n, "maps");
    let (mut files, mut done) = (Vec::new(), 0);
    for method in methods {
        let mut all = Vec::new();
        for view in explainer.views(&[method]) {
            bar.rename(format!("averages of {}", view.title()), done);
            all.push(explainer.explain(&view, &images, &mut |images| bar.at(done + images))?);
            done += n;
        }
        let file = dir.cam(method.name())?.classes();
        save_png(&picture(explainer, &images, &all)?, &file)?;
        files.push(file);
    }
    Ok(files)
}

/// A method's averages: class after class, and of each one its places side by side.
fn picture(explainer: &Explainer<'_>, images: &Images, all: &[Cams]) -> Result<RgbImage> {
    let of_each_class = |cams: &Cams| {
        let place = (all.len() > 1).then(|| cams.view.place_words());
        of_each_class(explainer.class_names, place.as_deref(), images, cams)
    };
    let by_place: Vec<Vec<Average>> = all.iter().map(of_each_class).collect();
    let classes = by_place.first().map_or(0, Vec::len);
    let in_turn = (0..classes).flat_map(|class| by_place.iter().map(move |averages| &averages[class]));
    let cams = in_turn.map(ClassCam::try_from).collect::<Result<Vec<_>, _>>()?;
    let method = all.first().map_or("", |cams| cams.view.method.title());
    let title = Words::title(&explainer.words(all), method);
    let title = Some(format!("{title}: the mean over correct images"));
    let usual = ClassCamsOptions::default();
    let columns = match all.len() {
        1 => usual.columns,
        places => places * (usual.columns / places).max(1),
    };
    Ok(class_cams(&cams, &ClassCamsOptions { title, columns, overlay: explainer.overlay, ..usual })?)
}

impl<'a> TryFrom<&'a Average> for ClassCam<'a> {
    type Error = wick_viz::VizError;

    fn try_from(average: &'a Average) -> Result<Self, Self::Error> {
        Ok(Self {
            name: &average.name,
            mean_image: Photo::new(&average.image, HEIGHT, WIDTH)?,
            map: HeatMap::new(&average.map, HEIGHT, WIDTH)?,
            images: average.images,
        })
    }
}

/// Of the classes that have an image, behind their names the place, where there is one to tell. A map that says nothing counts as 0
/// throughout.
fn of_each_class(names: &[String], place: Option<&str>, images: &Images, cams: &Cams) -> Vec<Average> {
    let average = |(class, name): (usize, &String)| {
        let rows: Vec<usize> = (0..images.truth.len()).filter(|&row| images.truth[row] == class).collect();
        let n = rows.len() as f64;
        let (mut image, mut map) = (vec![0f64; IMAGE_BYTES], vec![0f64; HEIGHT * WIDTH]);
        for &row in &rows {
            let bytes = &images.bytes[row * IMAGE_BYTES..][..IMAGE_BYTES];
            image.iter_mut().zip(bytes).for_each(|(sum, &byte)| *sum += f64::from(byte));
            map.iter_mut().zip(&cams.maps[row].values).for_each(|(sum, &v)| *sum += f64::from(v));
        }
        (!rows.is_empty()).then(|| Average {
            name: place.map_or_else(|| name.clone(), |place| format!("{name}, {place}")),
            image: image.into_iter().map(|sum| (sum / n).round() as u8).collect(),
            map: map.into_iter().map(|sum| (sum / n) as f32).collect(),
            images: rows.len(),
        })
    };
    names.iter().enumerate().filter_map(average).collect()
}
