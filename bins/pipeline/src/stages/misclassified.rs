//! `misclassified`: the images that the network takes for something else, and those that it nearly does.

use anyhow::{Result, ensure};
use wick_runs::{Figure, GalleryImages, Input, Predictions};
use wick_viz::{GalleryOptions, misclassified, save_png, unsure};

use crate::cli::{GalleryOrder, MisclassifiedArgs};
use crate::context::{StageEnd, Work, needs};
use crate::galleries::{class_means, close_call, close_calls, mistake, mistakes, pictures};
use crate::interrupt::whole;
use crate::terminal::wrote;

pub fn run(args: &MisclassifiedArgs) -> Result<StageEnd> {
    ensure!(args.count != Some(0), "--count is 0; expected a number of images from 1 on");
    let run = args.run.open()?;
    let d = &run.dir;
    needs(&d.predictions(), "evaluate")?;
    let mut inputs = [d.recipe_toml(), d.data(), d.predictions()].map(Input::path).to_vec();
    inputs.push(Input::value("options", format!("{:?} {:?}", args.count, args.order)));
    run.stage("misclassified", inputs, args.run.when_current(), || {
        let data = run.data(args.run.data.as_deref())?;
        let (split, judging) = data.judging();
        let predictions = Predictions::read(&d.predictions())?;
        let names = &predictions.class_names;
        let explained = run.recipe.evaluate.misclassified;
        let count = args.count.unwrap_or(explained);

        let (wrong, images) = (predictions.wrong().count(), predictions.rows.len());
        let shown = mistakes(&predictions, count, args.order);
        let which = match args.order {
            GalleryOrder::Index => "first",
            GalleryOrder::Confidence => "surest",
        };
        let title = format!("The {which} {} of {wrong} misclassified images among {images}", shown.len());
        let options = gallery(title, "nothing misclassified");
        let tiles = shown.iter().map(|row| mistake(row, split, names)).collect::<Result<Vec<_>>>()?;
        let mistaken = misclassified(&tiles, &options)?;

        let close = close_calls(&predictions, count);
        let title = format!("Right by the least: {} of {} correct images", close.len(), images - wrong);
        let options = gallery(title, "nothing correct");
        let tiles = close.iter().map(|call| close_call(call, split, names)).collect::<Result<Vec<_>>>()?;
        let nearly = unsure(&tiles, &options)?;

        // Maps explain the first by index, whatever the gallery shows.
        let besides = predictions.wrong().take(explained).map(|row| row.index);
        let shown: Vec<usize> = shown.iter().map(|row| row.index).collect();
        let besides = besides.filter(|index| !shown.contains(index));
        let kept = GalleryImages {
            misclassified: pictures(split, shown.iter().copied().chain(besides))?,
            unsure: pictures(split, close.iter().map(|call| call.row.index))?,
            class_mean: class_means(split, &judging, data.classes()),
        };
        whole(|| -> Result<()> {
            save_png(&mistaken, &d.figure(Figure::Misclassified))?;
            save_png(&nearly, &d.figure(Figure::Unsure))?;
            Ok(kept.write(&d.gallery())?)
        })?;
        let written = vec![d.figure(Figure::Misclassified), d.figure(Figure::Unsure), d.gallery()];
        wrote(&format!("{wrong} of {images} misclassified"), &written)?;
        Ok(Work::Done(written))
    })
}

fn gallery(title: String, none: &str) -> GalleryOptions {
    GalleryOptions { title: Some(title), none: none.to_owned(), ..Default::default() }
}
