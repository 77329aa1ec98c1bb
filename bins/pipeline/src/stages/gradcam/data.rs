//! Images of a run, or of a data set with a weights file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use wick_gradcam::Method;
use wick_runs::{CamIndexRow, CamWeights, GalleryImages, Input, Predictions, Row, RunDir};
use wick_train::Compute;
use wick_viz::save_png;

use super::args::{Args, SHOWN};
use super::images::{Images, Judged, correct, judge, of_predictions, wrong};
use super::maps::{Cams, Explainer};
use super::quality::{self, Group};
use super::{classes, methods, pictures, tell, write};
use crate::compute::Asked;
use crate::context::{Run, StageEnd, Work};
use crate::galleries::close_calls;
use crate::progress::counting;
use crate::source::{Opened, Subject};
use crate::terminal::note;

/// Where maps of a weights file on data go, unless told.
const OUT: &str = "explanation";

/// What the network says of the images that judge, and which are shown unless others are named.
#[derive(Default)]
struct Judgement {
    judged: Vec<Judged>,
    shown: Vec<Judged>,
    /// What was said of those that the command line names, where it is kept.
    named: Option<Vec<Judged>>,
}

/// Explains what a run keeps.
pub fn of_run((args, asked): (&Args, Asked), source: &Opened, run: &Run, weights: &Path) -> Result<StageEnd> {
    let d = &run.dir;
    let methods = of_the_run(args, run)?;
    run.needs_judged(
        weights,
        "take those that were judged with --weights, or keep these maps apart with --out DIR",
    )?;
    let mut inputs = [d.recipe_toml(), d.data(), weights.to_owned()].map(Input::path).to_vec();
    inputs.push(Input::path(d.predictions()));
    if d.gallery().exists() {
        inputs.push(Input::path(d.gallery()));
    }
    // With the columns: what an earlier version left is not current.
    let (columns, drawn) = (CamIndexRow::COLUMNS, args.overlay());
    let options = (&methods, &args.layer, &args.smooth, args.per_class, args.sample, columns, drawn);
    inputs.push(Input::value("options", format!("{options:?}")));
    let stage = if args.evaluate { "gradcam-evaluate" } else { "gradcam" };
    run.stage(stage, inputs, args.source.skip_current.into(), || {
        let layer = Some(run.recipe.evaluate.cam_layer.as_str());
        let judgement = |_: &Subject, _: &Compute| kept_judgement(args, run);
        Ok(Work::Done(explain((args, asked), source, (&methods, layer), judgement, d)?))
    })
}

/// Explains what is asked of a run besides its galleries, into a folder of its own.
pub fn apart((args, asked): (&Args, Asked), source: &Opened, run: &Run, weights: &Path) -> Result<()> {
    let methods = of_the_run(args, run)?;
    let predictions = run.dir.predictions();
    let judgement = |subject: &Subject, compute: &Compute| {
        if run.has_judged(weights)? {
            return kept_judgement(args, run);
        }
        if !needs_judgement(args) {
            return Ok(Judgement::default());
        }
        let (predictions, weights) = (predictions.display(), weights.display());
        note(&format!("{predictions} is not of {weights}: images are judged anew, by these weights"));
        judged_anew(args, subject, compute)
    };
    let layer = Some(run.recipe.evaluate.cam_layer.as_str());
    explain((args, asked), source, (&methods, layer), judgement, &out(args)).map(drop)
}

/// Explains a weights file on data.
pub fn of_file((args, asked): (&Args, Asked), source: &Opened) -> Result<()> {
    let methods = chosen(args, args.method.as_ref());
    let judgement = |subject: &Subject, compute: &Compute| match needs_judgement(args) {
        true => judged_anew(args, subject, compute),
        false => Ok(Judgement::default()),
    };
    explain((args, asked), source, (&methods, None), judgement, &out(args)).map(drop)
}

fn out(args: &Args) -> RunDir {
    RunDir::names_below(&args.out.clone().unwrap_or_else(|| PathBuf::from(OUT)))
}

/// Named images need no judgement, unless classes are averaged besides.
fn needs_judgement(args: &Args) -> bool {
    args.indices.is_none() || args.per_class.is_some_and(|count| count > 0)
}

/// What a run's `evaluate` left, from as many views as the recipe asks for; shown are the images of its galleries.
fn kept_judgement(args: &Args, run: &Run) -> Result<Judgement> {
    let predictions = Predictions::read(&run.dir.predictions())?;
    let shown: Vec<usize> = match GalleryImages::read(&run.dir.gallery()) {
        // Those of earlier predictions show other images.
        Ok(galleries) if run.has_read("misclassified", &run.dir.predictions())? => {
            [galleries.misclassified.index, galleries.unsure.index].concat()
        }
        Err(error) if !error.is_missing() => return Err(error.into()),
        _ => {
            let count = run.recipe.evaluate.misclassified;
            let unsure = close_calls(&predictions, count).into_iter().map(|call| call.row.index);
            predictions.wrong().take(count).map(|row| row.index).chain(unsure).collect()
        }
    };
    let judged = of_predictions(&predictions);
    let by_index: BTreeMap<usize, Judged> = judged.iter().map(|j| (j.index, *j)).collect();
    let of = |index: &usize| by_index.get(index).copied();
    let shown = shown.iter().filter_map(of).collect();
    let named = args.indices.as_ref().and_then(|indices| indices.iter().map(of).collect());
    Ok(Judgement { judged, shown, named })
}

/// What the network itself says, of no more images than it takes.
fn judged_anew(args: &Args, subject: &Subject, compute: &Compute) -> Result<Judgement> {
    let judged = match args.evaluate {
        true => judge(subject, compute, [args.sample; 2])?,
        false => judge(subject, compute, [SHOWN, classes::count(args) * subject.class_names.len()])?,
    };
    Ok(Judgement { shown: wrong(&judged, SHOWN), judged, named: None })
}

/// The methods that the command line names, or else the run's recipe.
fn of_the_run(args: &Args, run: &Run) -> Result<Vec<Method>> {
    match &args.method {
        None if !args.evaluate => methods::of_recipe(&run.recipe.evaluate.cam_methods),
        methods => Ok(chosen(args, methods.as_ref())),
    }
}

/// The methods that the command line names, or else the usual ones.
fn chosen(args: &Args, named: Option<&Vec<Method>>) -> Vec<Method> {
    match named {
        Some(methods) => methods.clone(),
        None if args.evaluate => methods::quick(),
        None => vec![Method::GradCam],
    }
}

/// Writes what was asked for, and returns the files.
fn explain(
    (args, asked): (&Args, Asked),
    source: &Opened,
    (methods, layer): (&[Method], Option<&str>),
    judgement: impl FnOnce(&Subject, &Compute) -> Result<Judgement>,
    dir: &RunDir,
) -> Result<Vec<PathBuf>> {
    let subject = &source.subject(args.source.data.as_deref())?;
    let compute = &asked.open()?;
    let network = (compute, &subject.network);
    let explainer = &Explainer::new(args, network, &subject.augmentation, &subject.class_names, layer)?;
    let Judgement { judged, shown, named } = judgement(subject, compute)?;
    let (split, _) = subject.data.judging();
    let named = args.indices.as_ref().map(|indices| Images::named(subject, indices, named)).transpose()?;
    if args.evaluate {
        let groups = match named {
            Some(images) => vec![Group { name: "chosen", images }],
            None => vec![
                Group { name: "misclassified", images: Images::judged(split, wrong(&judged, args.sample)) },
                Group { name: "correct", images: Images::judged(split, correct(&judged, args.sample)) },
            ],
        };
        let network = compute.judge(&subject.network, subject.options)?;
        return quality::run(network, explainer, methods, &groups, dir);
    }
    let images = named.unwrap_or_else(|| Images::judged(split, shown));
    let weights = CamWeights::of(source.weights())?;
    let all = maps(explainer, methods, &images)?;
    let mut files = Vec::new();
    for of_method in all.chunk_by(|a, b| a.view.method == b.view.method) {
        let folder = dir.cam(of_method[0].view.method.name())?;
        files.extend(write::method(explainer, &images, of_method, &weights, &folder)?);
    }
    if let [_, _, ..] = all[..] {
        save_png(&pictures::side_by_side(explainer, &images, &all)?, &dir.cam_methods())?;
        files.push(dir.cam_methods());
    }
    files.extend(classes::averages(args, subject, explainer, (methods, &judged), dir)?);
    tell::done(explainer, &images, &all, &files)?;
    Ok(files)
}

/// The maps of some images by each method at each place, under one bar.
fn maps(explainer: &Explainer<'_>, methods: &[Method], images: &Images) -> Result<Vec<Cams>> {
    let (views, n) = (explainer.views(methods), images.indices.len());
    let mut bar = counting("explaining", views.len() * n, "maps");
    let mut all = Vec::with_capacity(views.len());
    for (done, view) in views.iter().enumerate() {
        bar.rename(view.title(), done * n);
        let cams = explainer.explain(view, images, &mut |images| bar.at(done * n + images))?;
        tell::flat(explainer, &cams, |row| format!("image {}", images.indices[row]));
        all.push(cams);
    }
    Ok(all)
}
