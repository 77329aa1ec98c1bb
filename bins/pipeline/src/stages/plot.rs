//! `plot`: the figures that need nothing but tables.

use std::path::PathBuf;

use anyhow::Result;
use wick_runs::{Figure, Input, RunDir};
use wick_train::{DataRecord, DatasetKind};

use crate::cli::RunFolder;
use crate::context::{Run, StageEnd, Work, needs};
use crate::terminal::{count, note, wrote};
use crate::{figures, schedule, tensorboard};

/// Figures that are drawn of the same files.
struct Part {
    figures: &'static [Figure],
    files: Vec<PathBuf>,
    /// The stage that writes them.
    stage: &'static str,
    draw: fn(&Run, &DataRecord) -> Result<()>,
}

pub fn run(args: &RunFolder) -> Result<StageEnd> {
    let run = args.open()?;
    let d = &run.dir;
    needs(&d.data(), "prepare")?;
    let (parts, missing): (Vec<Part>, Vec<Part>) =
        parts(&run).into_iter().partition(|part| part.files.iter().all(|file| file.exists()));
    let mut inputs = [d.recipe_toml(), d.data()].map(Input::path).to_vec();
    inputs.extend(parts.iter().flat_map(|part| part.files.iter().cloned().map(Input::path)));
    let figures = parts.iter().flat_map(|part| part.figures);
    let written: Vec<PathBuf> = figures.flat_map(|figure| files(d, *figure)).collect();
    // What other stages have drawn is shown in TensorBoard, too.
    let shown = tensorboard::pictures(d)?.into_iter().map(|(_, path)| path);
    inputs.extend(shown.filter(|path| !written.contains(path)).map(Input::path));
    run.stage("plot", inputs, args.when_current(), || {
        for part in missing {
            let names: Vec<&str> = part.figures.iter().map(|figure| figure.name()).collect();
            note(&format!("not drawn: {}, of which `{}` writes the numbers", names.join(", "), part.stage));
        }
        let record = DataRecord::read(&d.data())?;
        for part in parts {
            (part.draw)(&run, &record)?;
        }
        tensorboard::show_figures(d)?;
        wrote("", &written)?;
        // What other stages record as theirs is drawn again alike, to the bit.
        Ok(Work::Done(written))
    })
}

/// All that there may be to draw.
fn parts(run: &Run) -> [Part; 5] {
    let d = &run.dir;
    [
        Part {
            figures: &[Figure::Curves],
            files: vec![d.epochs()],
            stage: "train",
            draw: |run, data| {
                let (recipe, images) = (&run.recipe, count(data.train_indices.len()));
                let title =
                    format!("{}: {images} images of {}, seed {}", recipe.name, data.name, recipe.seed);
                figures::curves(&run.dir, &title)
            },
        },
        Part {
            figures: &[Figure::Norms],
            files: vec![d.norms()],
            stage: "train",
            draw: |run, _| figures::norms(&run.dir),
        },
        Part {
            figures: &[Figure::LrFinder],
            files: vec![d.lr_finder_csv(), d.lr_finder_json()],
            stage: "find-lr",
            draw: |run, _| figures::lr_finder(&run.dir),
        },
        Part {
            figures: &[Figure::LrSchedule],
            files: schedule::files(run),
            stage: "find-lr",
            draw: |run, data| schedule::draw(run, data.train_indices.len()),
        },
        Part {
            figures: &[Figure::Confusion, Figure::PerClass, Figure::Reliability],
            files: vec![d.confusion(), d.per_class(), d.predictions()],
            stage: "evaluate",
            draw: |run, _| {
                // Those of CIFAR's classes say nothing of the generated shapes.
                let is_cifar = run.recipe.data.dataset == DatasetKind::Cifar;
                let published = run.recipe.published.as_ref().filter(|_| is_cifar);
                figures::confusion(&run.dir)?;
                figures::per_class(&run.dir, published.map_or(&[][..], |published| &published.per_class))?;
                figures::reliability(&run.dir)
            },
        },
    ]
}

/// A figure's files.
fn files(run: &RunDir, figure: Figure) -> Vec<PathBuf> {
    let mut files = vec![run.figure(figure)];
    if Figure::CHARTS.contains(&figure) {
        files.push(run.figure_svg(figure));
    }
    files
}
