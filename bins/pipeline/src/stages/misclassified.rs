//! `misclassified`: the images that the network takes for something else, and those that it nearly does.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use wick_runs::{Figure, GalleryImages, Input, Predictions, RunDir, create_parent};
use wick_train::Data;
use wick_viz::{GalleryOptions, misclassified, save_png, unsure};

use crate::cli::{GalleryOrder, MisclassifiedArgs};
use crate::compute::Asked;
use crate::context::{Run, StageEnd, Work, needs};
use crate::galleries::{class_means, close_call, close_calls, mistake, mistakes, pictures};
use crate::interrupt::whole;
use crate::judging;
use crate::source::open;
use crate::terminal::{count, wrote};

/// Images in each gallery of a weights file, unless told.
const COUNT: usize = 20;
/// Where galleries of a weights file go, unless told.
const OUT: &str = "galleries";

pub fn run(args: &MisclassifiedArgs, asked: Asked) -> Result<StageEnd> {
    ensure!(args.count != Some(0), "--count is 0; expected a number of images from 1 on");
    match &args.source.run {
        Some(run) => of_run(args, &Run::open(run)?),
        None => of_file(args, asked),
    }
}

fn of_run(args: &MisclassifiedArgs, run: &Run) -> Result<StageEnd> {
    let d = &run.dir;
    needs(&d.predictions(), "evaluate")?;
    if let Some(weights) = args.source.weights {
        run.needs_judged(&run.weights(weights), "leave --weights out to draw what was judged")?;
    }
    let mut inputs = [d.recipe_toml(), d.data(), d.predictions()].map(Input::path).to_vec();
    inputs.push(Input::value("options", format!("{:?} {:?}", args.count, args.order)));
    run.stage("misclassified", inputs, args.source.skip_current.into(), || {
        let data = run.data(args.source.data.as_deref())?;
        let predictions = Predictions::read(&d.predictions())?;
        Ok(Work::Done(draw(args, &data, &predictions, run.recipe.evaluate.misclassified, d)?))
    })
}

fn of_file(args: &MisclassifiedArgs, asked: Asked) -> Result<StageEnd> {
    let subject = open(&args.source)?.subject(args.source.data.as_deref())?;
    let predictions = judging::predictions(&judging::judge(&subject, asked)?, &subject.class_names);
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(OUT));
    draw(args, &subject.data, &predictions, COUNT, &RunDir::names_below(&out))?;
    Ok(StageEnd::Done)
}

/// Draws both galleries, keeps their images, and returns the files. `usual` images each, unless told.
fn draw(
    args: &MisclassifiedArgs,
    data: &Data,
    predictions: &Predictions,
    usual: usize,
    d: &RunDir,
) -> Result<Vec<PathBuf>> {
    let (split, judging) = data.judging();
    let names = &predictions.class_names;
    let most = args.count.unwrap_or(usual);

    let (wrong, images) = (predictions.wrong().count(), predictions.rows.len());
    let shown = mistakes(predictions, most, args.order);
    let which = match args.order {
        GalleryOrder::Index => "first",
        GalleryOrder::Confidence => "surest",
    };
    let [of_wrong, of_images, of_right] = [wrong, images, images - wrong].map(count);
    let title = format!("The {which} {} of {of_wrong} misclassified images among {of_images}", shown.len());
    let options = gallery(title, "nothing misclassified");
    let tiles = shown.iter().map(|row| mistake(row, split, names)).collect::<Result<Vec<_>>>()?;
    let mistaken = misclassified(&tiles, &options)?;

    let close = close_calls(predictions, most);
    let title = format!("Right by the least: {} of {of_right} correct images", close.len());
    let options = gallery(title, "nothing correct");
    let tiles = close.iter().map(|call| close_call(call, split, names)).collect::<Result<Vec<_>>>()?;
    let nearly = unsure(&tiles, &options)?;

    let kept = GalleryImages {
        misclassified: pictures(split, shown.iter().map(|row| row.index))?,
        unsure: pictures(split, close.iter().map(|call| call.row.index))?,
        class_mean: class_means(split, &judging, data.classes()),
    };
    whole(|| -> Result<()> {
        create_parent(&d.figure(Figure::Misclassified))?;
        save_png(&mistaken, &d.figure(Figure::Misclassified))?;
        save_png(&nearly, &d.figure(Figure::Unsure))?;
        Ok(kept.write(&d.gallery())?)
    })?;
    let written = vec![d.figure(Figure::Misclassified), d.figure(Figure::Unsure), d.gallery()];
    wrote(&format!("{of_wrong} of {of_images} misclassified"), &written)?;
    Ok(written)
}

fn gallery(title: String, none: &str) -> GalleryOptions {
    GalleryOptions { title: Some(title), none: none.to_owned(), ..Default::default() }
}
