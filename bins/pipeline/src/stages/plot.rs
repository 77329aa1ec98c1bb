//! `plot`: the figures that need nothing but tables.

use anyhow::Result;
use wick_runs::{Figure, Input};
use wick_train::{DataRecord, DatasetKind};

use crate::cli::RunFolder;
use crate::context::{StageEnd, Work, needs};
use crate::terminal::wrote;
use crate::{figures, schedule, tensorboard};

pub fn run(args: &RunFolder) -> Result<StageEnd> {
    let run = args.open()?;
    let d = &run.dir;
    needs(&d.data(), "prepare")?;
    needs(&d.lr_finder_csv(), "find-lr")?;
    needs(&d.epochs(), "train")?;
    needs(&d.confusion(), "evaluate")?;
    let inputs = [
        d.recipe_toml(),
        d.data(),
        d.lr_finder_csv(),
        d.lr_finder_json(),
        d.epochs(),
        d.confusion(),
        d.per_class(),
        d.predictions(),
    ];
    let mut inputs = inputs.map(Input::path).to_vec();
    // Runs of before norms were taken go on without.
    let has_norms = d.norms().exists();
    if has_norms {
        inputs.push(Input::path(d.norms()));
    }
    let mut written = vec![d.figure(Figure::Confusion)];
    let charts = Figure::CHARTS.into_iter().filter(|figure| has_norms || *figure != Figure::Norms);
    written.extend(charts.flat_map(|figure| [d.figure(figure), d.figure_svg(figure)]));
    // What other stages have drawn is shown in TensorBoard, too.
    let shown = tensorboard::pictures(d)?.into_iter().map(|(_, path)| path);
    inputs.extend(shown.filter(|path| !written.contains(path)).map(Input::path));
    run.stage("plot", inputs, args.when_current(), || {
        let record = DataRecord::read(&d.data())?;
        let images = record.train_indices.len();
        let title =
            format!("{}: {images} images of {}, seed {}", run.recipe.name, record.name, run.recipe.seed);
        figures::curves(d, &title)?;
        figures::lr_finder(d)?;
        figures::confusion(d)?;
        // Those of CIFAR's classes say nothing of the generated shapes.
        let published =
            run.recipe.published.as_ref().filter(|_| run.recipe.data.dataset == DatasetKind::Cifar);
        let published = published.map_or(&[][..], |published| &published.per_class);
        figures::per_class(d, published)?;
        figures::reliability(d)?;
        if has_norms {
            figures::norms(d)?;
        }
        schedule::draw(&run, images)?;
        tensorboard::show_figures(d)?;
        wrote("", &written)?;
        // What other stages record as theirs is drawn again alike, to the bit.
        Ok(Work::Done(written))
    })
}
