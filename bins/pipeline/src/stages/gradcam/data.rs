//! Images of a run, or of a data set with a weights file.

use std::path::{Path, PathBuf};

use anyhow::Result;
use wick_gradcam::Method;
use wick_runs::{Input, Predictions, RunDir};
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

/// What the network says of the images that judge, and which are shown.
struct Judgement {
    judged: Vec<Judged>,
    /// Misclassified images, at most.
    shown: usize,
    /// Those that were right by the least.
    unsure: Vec<usize>,
}

pub fn of_run(args: &Args, source: &Opened, run: &Run, weights: &Path) -> Result<StageEnd> {
    let d = &run.dir;
    let methods = match &args.method {
        None if !args.evaluate => methods::of_recipe(&run.recipe.evaluate.cam_methods)?,
        methods => chosen(args, methods.as_ref()),
    };
    let mut inputs = [d.recipe_toml(), d.data(), weights.to_owned()].map(Input::path).to_vec();
    // Named images need no judgement: without one there are only no averages of classes.
    let is_judged = args.indices.is_none() || d.predictions().exists();
    if is_judged {
        needs(&d.predictions(), "evaluate")?;
        inputs.push(Input::path(d.predictions()));
    }
    let options =
        (&args.indices, &methods, &args.layer, &args.smooth, &args.target, args.per_class, args.sample);
    inputs.push(Input::value("options", format!("{options:?}")));
    let stage = if args.evaluate { "gradcam-evaluate" } else { "gradcam" };
    run.stage(stage, inputs, args.source.skip_current.into(), || {
        let subject = source.subject(args.source.data.as_deref())?;
        let layer = Some(run.recipe.evaluate.cam_layer.as_str());
        let explainer =
            Explainer::new(args, &subject.network, &subject.augmentation, &subject.class_names, layer)?;
        let shown = run.recipe.evaluate.misclassified;
        let mut judgement = Judgement { judged: Vec::new(), shown, unsure: Vec::new() };
        if is_judged {
            let predictions = Predictions::read(&d.predictions())?;
            judgement.judged = of_predictions(&predictions);
            judgement.unsure = close_calls(&predictions, shown).iter().map(|call| call.row.index).collect();
        }
        Ok(Work::Done(explain(args, &subject, &explainer, (&methods, &judgement), d)?))
    })
}

pub fn of_file(args: &Args, source: &Opened) -> Result<()> {
    let methods = chosen(args, args.method.as_ref());
    let subject = source.subject(args.source.data.as_deref())?;
    let explainer =
        Explainer::new(args, &subject.network, &subject.augmentation, &subject.class_names, None)?;
    let judged = match (&args.indices, args.evaluate) {
        (Some(_), _) => Vec::new(),
        (None, true) => judge(&subject, args.sample)?,
        (None, false) => judge(&subject, 0)?,
    };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(OUT));
    let judgement = Judgement { judged, shown: SHOWN, unsure: Vec::new() };
    explain(args, &subject, &explainer, (&methods, &judgement), &RunDir::names_below(&out))?;
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
    let Judgement { judged, shown, unsure } = judgement;
    let (split, _) = subject.data.judging();
    let named = args.indices.as_ref().map(|indices| Images::named(subject, indices)).transpose()?;
    if args.evaluate {
        let groups = match named {
            Some(images) => vec![Group { name: "chosen", images }],
            None => vec![
                Group { name: "misclassified", images: Images::new(split, wrong(judged, *shown)) },
                Group { name: "correct", images: Images::new(split, correct(judged, args.sample)) },
            ],
        };
        return quality::run(subject, explainer, methods, &groups, dir);
    }
    let images =
        named.unwrap_or_else(|| Images::new(split, [wrong(judged, *shown), unsure.clone()].concat()));
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
