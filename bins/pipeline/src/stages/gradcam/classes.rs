//! Where the network looks in each class, on average.

use std::path::PathBuf;

use anyhow::Result;
use wick_cifar::{HEIGHT, IMAGE_BYTES, WIDTH};
use wick_gradcam::Method;
use wick_runs::RunDir;
use wick_viz::{ClassCam, ClassCamsOptions, HeatMap, Photo, class_cams, save_png};

use super::args::Args;
use super::images::{Images, Judged, correct_of_each_class};
use super::maps::{Cams, Explainer};
use super::methods::is_slow;
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

/// Draws each method's averages, and returns the files; none where no image is to be averaged.
pub fn averages(
    args: &Args,
    subject: &Subject,
    explainer: &Explainer<'_>,
    (methods, judged): (&[Method], &[Judged]),
    dir: &RunDir,
) -> Result<Vec<PathBuf>> {
    let usual = if args.indices.is_none() { PER_CLASS } else { 0 };
    let per_class = args.per_class.unwrap_or(usual);
    let (split, _) = subject.data.judging();
    let of_classes = correct_of_each_class(judged, explainer.class_names.len(), per_class);
    let images = Images::new(split, of_classes.concat());
    let mut files = Vec::new();
    for &method in methods {
        // A pass for each channel of some two hundred images takes minutes: only where it was asked for.
        if images.indices.is_empty() || (is_slow(method) && args.per_class.is_none()) {
            continue;
        }
        let cams = explainer.explain(method, &images.bytes)?;
        let averages = of_each_class(explainer.class_names, &images, &cams);
        let title = format!("{} for {}: the mean over correct images", method.title(), explainer.words());
        let classes = averages.iter().map(ClassCam::try_from).collect::<Result<Vec<_>, _>>()?;
        let options = ClassCamsOptions { title: Some(title), ..Default::default() };
        let file = dir.cam(method.name())?.classes();
        save_png(&class_cams(&classes, &options)?, &file)?;
        files.push(file);
    }
    Ok(files)
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

/// Of the classes that have an image. A map that says nothing counts as 0 throughout.
fn of_each_class(names: &[String], images: &Images, cams: &Cams) -> Vec<Average> {
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
            name: name.clone(),
            image: image.into_iter().map(|sum| (sum / n).round() as u8).collect(),
            map: map.into_iter().map(|sum| (sum / n) as f32).collect(),
            images: rows.len(),
        })
    };
    names.iter().enumerate().filter_map(average).collect()
}
