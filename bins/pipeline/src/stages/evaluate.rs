//! `evaluate`: judges a network on the test split.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde_json::json;
use wick_metrics::ConfusionMatrix;
use wick_runs::{ConfusionTable, Figure, Input, PerClassRow, RunDir, write_rows};
use wick_train::Evaluation;

use crate::cli::EvaluateArgs;
use crate::compute::Asked;
use crate::context::{StageEnd, Work};
use crate::filters;
use crate::interrupt::whole;
use crate::judging::{self, predictions};
use crate::source::{Opened, Subject, open};
use crate::tables;
use crate::terminal::{count, paths, result_room, tell};

/// Where the results of a weights file go, unless told.
const OUT: &str = "evaluation";

pub fn run(args: &EvaluateArgs, asked: Asked) -> Result<StageEnd> {
    ensure!(
        args.out.is_none() || args.source.run.is_none(),
        "--out goes with --checkpoint; what is judged of a run is kept in its run folder"
    );
    let source = open(&args.source)?;
    match &source {
        Opened::Run { run, weights } => {
            let inputs =
                vec![Input::path(run.dir.recipe_toml()), Input::path(weights), Input::path(run.dir.data())];
            let end = run.stage("evaluate", inputs, args.source.skip_current.into(), || {
                let files = judge(&source, args.source.data.as_deref(), &run.dir, asked)?;
                Ok(Work::Done(files))
            })?;
            Ok(end)
        }
        Opened::File { .. } => {
            let out = args.out.clone().unwrap_or_else(|| PathBuf::from(OUT));
            judge(&source, args.source.data.as_deref(), &RunDir::names_below(&out), asked)?;
            Ok(StageEnd::Done)
        }
    }
}

fn judge(source: &Opened, data: Option<&Path>, out: &RunDir, asked: Asked) -> Result<Vec<PathBuf>> {
    let subject = source.subject(data)?;
    write(&judging::judge(&subject, asked)?, &subject, out)
}

fn write(e: &Evaluation, subject: &Subject, out: &RunDir) -> Result<Vec<PathBuf>> {
    let class_names = &subject.class_names;
    let matrix = ConfusionMatrix::new(class_names.len(), &e.truth, &e.predicted)?;
    let counts: Vec<Vec<u64>> = (0..class_names.len())
        .map(|t| (0..class_names.len()).map(|p| matrix.count(t, p)).collect())
        .collect();
    let per_class: Vec<PerClassRow> = class_names
        .iter()
        .enumerate()
        .map(|(class, name)| {
            let (images, correct) = (counts[class].iter().sum(), counts[class][class]);
            let accuracy = if images == 0 { f64::NAN } else { correct as f64 / images as f64 };
            PerClassRow { class, name: name.clone(), images, correct, accuracy }
        })
        .collect();
    let predictions = predictions(e, class_names);
    let confusion = ConfusionTable { class_names: class_names.clone(), counts };
    let filters = whole(|| -> Result<Option<PathBuf>> {
        predictions.write(&out.predictions())?;
        write_rows(&out.per_class(), &per_class)?;
        confusion.write(&out.confusion())?;
        filters::draw(&subject.network, &out.figure(Figure::Filters))
    })?;

    let mut written = vec![out.predictions(), out.per_class(), out.confusion()];
    written.extend(filters);
    let images = e.truth.len();
    let value = || {
        json!({
            "images": images, "loss": e.loss, "accuracy": e.accuracy, "per_class": per_class, "written": paths(&written),
        })
    };
    let text = || {
        let head =
            format!("{} images: accuracy {:.2} %, loss {:.4}", count(images), 100.0 * e.accuracy, e.loss);
        format!("{head}\n\n{}", tables::evaluation::text(&per_class, &confusion, result_room()))
    };
    tell(text, &written, value)?;
    Ok(written)
}
