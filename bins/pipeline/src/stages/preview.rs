//! `preview`: what training will see, before it starts.

use anyhow::{Result, bail, ensure};
use wick_augment::Key;
use wick_cifar::{HEIGHT, WIDTH};
use wick_runs::{Figure, Input};
use wick_train::{Data, Recipe};
use wick_viz::{
    AugmentationRow, AugmentationsOptions, Photo, SvgOptions, Theme, augmentations, save_png, save_svg,
};

use crate::cli::{PreviewArgs, RunFolder};
use crate::context::{Run, StageEnd, Work};
use crate::recipes::named_with;
use crate::schedule;
use crate::terminal::wrote;

const ROWS: usize = 6;
const DRAWS: usize = 8;

pub fn run(args: &PreviewArgs) -> Result<StageEnd> {
    match (&args.run, &args.recipe) {
        (Some(run), _) => {
            let folder =
                RunFolder { run: run.clone(), data: args.data.clone(), skip_current: args.skip_current };
            of_run(&folder)
        }
        (None, Some(recipe)) => of_recipe(recipe, args),
        (None, None) => bail!("name a run with --run or a recipe with --recipe"),
    }
}

fn of_run(args: &RunFolder) -> Result<StageEnd> {
    let run = args.open()?;
    let d = &run.dir;
    // A peak that the range test has yet to find leaves nothing to draw; `plot` draws it later.
    let has_schedule = !run.recipe.schedule.needs_range_test();
    let mut inputs = vec![Input::path(d.recipe_toml()), Input::path(d.data())];
    if has_schedule {
        inputs.extend(schedule::files(&run).into_iter().map(Input::path));
    }
    run.stage("preview", inputs, args.when_current(), || {
        let data = run.data(args.data.as_deref())?;
        sheet(&run, &run.recipe, &data)?;
        let mut written = vec![d.figure(Figure::Augmentations)];
        if has_schedule {
            schedule::draw(&run, data.train_indices.len())?;
            written.extend([d.figure(Figure::LrSchedule), d.figure_svg(Figure::LrSchedule)]);
        }
        wrote("", &written)?;
        Ok(Work::Done(written))
    })
}

/// The schedule of a recipe that no run was prepared of.
fn of_recipe(name: &str, args: &PreviewArgs) -> Result<StageEnd> {
    let recipe = named_with(name, &args.set)?;
    ensure!(
        !recipe.schedule.needs_range_test(),
        "{}'s peak rate is for the range test to find; say which to draw with --set schedule.max_lr=0.01, for instance",
        recipe.name
    );
    let length = recipe.length(args.images);
    ensure!(
        length.steps_per_epoch > 0,
        "--images {} makes no batch of {}; give that many or more",
        args.images,
        recipe.train.batch_size
    );
    recipe.check_length(length)?;
    let chart = schedule::planned(&recipe, args.images, None, Some(schedule::title(&recipe)))?;
    let out = &args.out;
    match out.extension().and_then(|e| e.to_str()) {
        Some("png") => save_png(&chart.png(Theme::Light)?, out)?,
        Some("svg") => save_svg(&chart.svg(&SvgOptions::default()), out)?,
        _ => bail!("--out {}: expected a file that ends in .png or .svg", out.display()),
    }
    wrote("", std::slice::from_ref(out))?;
    Ok(StageEnd::Done)
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
