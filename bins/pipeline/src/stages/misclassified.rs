//! `misclassified`: the images that the network takes for something else.

use anyhow::Result;
use wick_cifar::{HEIGHT, WIDTH};
use wick_runs::{Figure, Input, Predictions};
use wick_viz::{GalleryOptions, Mistake, Photo, misclassified, save_png};

use crate::cli::RunFolder;
use crate::context::{StageEnd, Work, needs};
use crate::terminal::wrote;

pub fn run(args: &RunFolder) -> Result<StageEnd> {
    let run = args.open()?;
    let d = &run.dir;
    needs(&d.predictions(), "evaluate")?;
    let inputs = [d.recipe_toml(), d.data(), d.predictions()].map(Input::path).to_vec();
    run.stage("misclassified", inputs, args.when_current(), || {
        let data = run.data(args.data.as_deref())?;
        let (split, _) = data.judging();
        let predictions = Predictions::read(&d.predictions())?;
        let names = &predictions.class_names;
        let wrong = predictions.wrong().count();
        let mistakes = predictions
            .wrong()
            .take(run.recipe.evaluate.misclassified)
            .map(|row| {
                Ok(Mistake {
                    image: Photo::new(split.image(row.index), HEIGHT, WIDTH)?,
                    truth: &names[row.truth],
                    predicted: &names[row.predicted],
                    probability: f64::from(row.confidence()),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let (shown, images) = (mistakes.len(), predictions.rows.len());
        let title = format!("the first {shown} of {wrong} misclassified images among {images}");
        let options = GalleryOptions { title: Some(title), ..Default::default() };
        let path = d.figure(Figure::Misclassified);
        save_png(&misclassified(&mistakes, &options)?, &path)?;
        let written = vec![path];
        wrote(&format!("{wrong} of {images} misclassified"), &written)?;
        Ok(Work::Done(written))
    })
}
