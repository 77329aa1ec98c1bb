//! Images of a run, or of a data set with a weights file.

use std::path::{Path, PathBuf};

use anyhow::Result;
use wick_gradcam::Method;
use wick_runs::{GalleryImages, Input, Predictions, RunDir};
use wick_viz::save_png;

use super::args::{Args, SHOWN};
use super::images::{Images, Judged, correct, judge, of_predictions, wrong};
use super::maps::Explainer;
use super::quality::{self, Group};
use super::{classes, methods, pictures, tell, write};
use crate::context::{Run, StageEnd, Work, needs};
use crate::galleries::close_calls;
use crate::source::{Opened, Subject};

/// Where maps of a weights file on data go, unless told.
const OUT: &str = "explanation";

/// What the network says of the images that judge, and which are shown unless others are named.
struct Judgement {
    judged: Vec<Judged>,
    shown: Vec<usize>,
}

pub fn of_run(args: &Args, source: &Opened, run: &Run, weights: &Path) -> Result<StageEnd> {
    let d = &run.dir;
    let methods = match &args.method {
        None if !args.evaluate => methods::of_recipe(&run.recipe.evaluate.cam_methods)?,
        methods => chosen(args, methods.as_ref()),
    };
    let mut inputs = [d.recipe_toml(), d.data(), weights.to_owned()].map(Input::path).to_vec();
    needs(&d.predictions(), "evaluate")?;
    inputs.push(Input::path(d.predictions()));
    if d.gallery().exists() {
        inputs.push(Input::path(d.gallery()));
    }
    let options = (&methods, &args.layer, &args.smooth, args.per_class, args.sample);
    inputs.push(Input::value("options", format!("{options:?}")));
    let stage = if args.evaluate { "gradcam-evaluate" } else { "gradcam" };
    run.stage(stage, inputs, args.source.skip_current.into(), || {
        let subject = source.subject(args.source.data.as_deref())?;
        let layer = Some(run.recipe.evaluate.cam_layer.as_str());
        let explainer =
            Explainer::new(args, &subject.network, &subject.augmentation, &subject.class_names, layer)?;
        Ok(Work::Done(explain(args, &subject, &explainer, (&methods, &judgement(run)?), d)?))
    })
}

/// What a run's `evaluate` left; shown are the images of its galleries.
fn judgement(run: &Run) -> Result<Judgement> {
    let predictions = Predictions::read(&run.dir.predictions())?;
    let shown = match GalleryImages::read(&run.dir.gallery()) {
        Ok(galleries) => [galleries.misclassified.index, galleries.unsure.index].concat(),
        Err(error) if error.is_missing() => {
            let count = run.recipe.evaluate.misclassified;
            let unsure = close_calls(&predictions, count).into_iter().map(|call| call.row.index);
            predictions.wrong().take(count).map(|row| row.index).chain(unsure).collect()
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Judgement { judged: of_predictions(&predictions), shown })
}

/// Explains what is asked of a run besides its galleries, into a folder of its own.
pub fn apart(args: &Args, source: &Opened, run: &Run) -> Result<()> {
    let methods = match &args.method {
        None if !args.evaluate => methods::of_recipe(&run.recipe.evaluate.cam_methods)?,
        methods => chosen(args, methods.as_ref()),
    };
    let judgement = match (&args.indices, run.dir.predictions().exists()) {
        // Named images need no judgement: without one there are only no averages of classes.
        (Some(_), false) => Judgement { judged: Vec::new(), shown: Vec::new() },
        _ => {
            needs(&run.dir.predictions(), "evaluate")?;
            judgement(run)?
        }
    };
    let subject = source.subject(args.source.data.as_deref())?;
    let layer = Some(run.recipe.evaluate.cam_layer.as_str());
    let explainer =
        Explainer::new(args, &subject.network, &subject.augmentation, &subject.class_names, layer)?;
    explain(args, &subject, &explainer, (&methods, &judgement), &out(args))?;
    Ok(())
}

fn out(args: &Args) -> RunDir {
    RunDir::names_below(&args.out.clone().unwrap_or_else(|| PathBuf::from(OUT)))
}

pub fn of_file(args: &Args, source: &Opened) -> Result<()> {
    let methods = chosen(args, args.method.as_ref());
    let subject = source.subject(args.source.data.as_deref())?;
    let explainer =
        Explainer::new(args, &subject.network, &subject.augmentation, &subject.class_names, None)?;
    let judged = match (&args.indices, args.evaluate) {
        (Some(_), _) => Vec::new(),
        (None, true) => judge(&subject, [args.sample; 2])?,
        (None, false) => judge(&subject, [SHOWN, 0])?,
    };
    let judgement = Judgement { shown: wrong(&judged, SHOWN), judged };
    explain(args, &subject, &explainer, (&methods, &judgement), &out(args))?;
    Ok(())
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
    args: &Args,
    subject: &Subject,
    explainer: &Explainer<'_>,
    (methods, judgement): (&[Method], &Judgement),
    dir: &RunDir,
) -> Result<Vec<PathBuf>> {
    let Judgement { judged, shown } = judgement;
    let (split, _) = subject.data.judging();
    let named = args.indices.as_ref().map(|indices| Images::named(subject, indices)).transpose()?;
    if args.evaluate {
        let groups = match named {
            Some(images) => vec![Group { name: "chosen", images }],
            None => vec![
                Group { name: "misclassified", images: Images::new(split, wrong(judged, args.sample)) },
                Group { name: "correct", images: Images::new(split, correct(judged, args.sample)) },
            ],
        };
        return quality::run(subject, explainer, methods, &groups, dir);
    }
    let images = named.unwrap_or_else(|| Images::new(split, shown.clone()));
    let mut files = Vec::new();
    let mut all = Vec::new();
    for &method in methods {
        let cams = explainer.explain(method, &images.bytes)?;
        tell::flat(explainer, &cams, |row| format!("image {}", images.indices[row]));
        files.extend(write::method(explainer, &images, &cams, &dir.cam(method.name())?)?);
        all.push(cams);
    }
    if let [_, _, ..] = all[..] {
        save_png(&pictures::side_by_side(explainer, &images, &all)?, &dir.cam_methods())?;
        files.push(dir.cam_methods());
    }
    files.extend(classes::averages(args, subject, explainer, (methods, judged), dir)?);
    tell::done(explainer, &images, &all, &files)?;
    Ok(files)
}
