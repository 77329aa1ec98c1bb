//! `preview`: what training will see, before it starts.

use anyhow::Result;
use wick_augment::Key;
use wick_cifar::{HEIGHT, WIDTH};
use wick_runs::{Figure, Input};
use wick_train::{Data, Recipe};
use wick_viz::{AugmentationRow, AugmentationsOptions, Photo, augmentations, save_png};

use crate::cli::RunFolder;
use crate::context::{Run, StageEnd, Work};
use crate::schedule;
use crate::terminal::wrote;

const ROWS: usize = 6;
const DRAWS: usize = 8;

pub fn run(args: &RunFolder) -> Result<StageEnd> {
    let run = args.open()?;
    let d = &run.dir;
    let inputs = vec![Input::path(d.recipe_toml()), Input::path(d.data())];
    run.stage("preview", inputs, args.when_current(), || {
        let data = run.data(args.data.as_deref())?;
        sheet(&run, &run.recipe, &data)?;
        let mut written = vec![d.figure(Figure::Augmentations)];
        // A peak that the range test has yet to find leaves nothing to draw; `plot` draws it later.
        if !run.recipe.schedule.needs_range_test() {
            schedule::draw(&run, data.train_indices.len())?;
            written.push(d.figure(Figure::LrSchedule));
        }
        wrote("", &written)?;
        Ok(Work::Done(written))
    })
}

/// The first image of each of the first classes, beside what the first epochs make of it.
fn sheet(run: &Run, recipe: &Recipe, data: &Data) -> Result<()> {
    let augmentation = recipe.augmentation()?;
    let size = augmentation.output();
    let split = &data.dataset.train;
    let firsts = (0..data.classes()).filter_map(|class| {
        data.train_indices.iter().copied().find(|&i| usize::from(split.label(i)) == class)
    });
    let mut pictures: Vec<(usize, Vec<Vec<u8>>)> = Vec::new();
    for index in firsts.take(ROWS) {
        let draws = (1..=DRAWS as u64)
            .map(|epoch| {
                let drawn = augmentation.draw(Key { seed: recipe.seed, epoch, index: index as u64 });
                augmentation.apply_to_bytes(&drawn, split.image(index))
            })
            .collect::<Result<_, _>>()?;
        pictures.push((index, draws));
    }
    let photos = pictures
        .iter()
        .map(|(_, draws)| {
            draws.iter().map(|d| Photo::new(d, size.height, size.width)).collect::<Result<Vec<_>, _>>()
        })
        .collect::<Result<Vec<_>, _>>()?;
    let rows = pictures
        .iter()
        .zip(&photos)
        .map(|((index, _), draws)| {
            Ok(AugmentationRow {
                original: Photo::new(split.image(*index), HEIGHT, WIDTH)?,
                draws,
                caption: &data.dataset.class_names[usize::from(split.label(*index))],
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let title = format!("{}: training images as epochs 1 to {DRAWS} see them", recipe.name);
    let options = AugmentationsOptions { title: Some(title), ..Default::default() };
    Ok(save_png(&augmentations(&rows, &options)?, &run.dir.figure(Figure::Augmentations))?)
}
