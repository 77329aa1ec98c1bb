//! `summary`: the network, layer by layer.

use std::path::PathBuf;

use anyhow::Result;
use wick_models::{Network, Summary};
use wick_runs::{Input, write_atomic};
use wick_train::DataRecord;

use crate::cli::SummaryArgs;
use crate::context::{Run, StageEnd, Work, needs};
use crate::terminal::{Tone, paint, tell};

pub fn run(args: &SummaryArgs) -> Result<StageEnd> {
    if let Some(path) = &args.run {
        let run = Run::open(path)?;
        needs(&run.dir.data(), "prepare")?;
        let inputs =
            vec![Input::path(run.dir.recipe_toml()), Input::value("batch_size", args.batch_size.to_string())];
        return run.stage("summary", inputs, args.skip_current.into(), || {
            let classes = DataRecord::read(&run.dir.data())?.class_names.len();
            let summary = run.recipe.model.architecture.summary(classes, args.batch_size)?;
            let written = vec![run.dir.summary()];
            write_atomic(&written[0], summary.to_string().as_bytes())?;
            show(&summary, &written)?;
            Ok(Work::Done(written))
        });
    }
    let (architecture, classes) = match (&args.recipe, &args.checkpoint) {
        (Some(recipe), _) => (crate::recipes::named(recipe)?.model.architecture, 10),
        (None, Some(file)) => {
            let (network, _) = Network::load(file, None, &candle_core::Device::Cpu)?;
            (network.architecture, network.classes)
        }
        (None, None) => anyhow::bail!("name a run, a recipe or a checkpoint"),
    };
    show(&architecture.summary(classes, args.batch_size)?, &[])?;
    Ok(StageEnd::Done)
}

fn show(summary: &Summary, written: &[PathBuf]) -> Result<()> {
    let value = serde_json::to_value(summary)?;
    let text = || {
        let text = summary.to_string();
        let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
        format!("{}\n{rest}", paint(head, Tone::Head))
    };
    tell(text, written, || value)
}
