//! `summary`: the network, layer by layer.

use anyhow::Result;
use wick_models::{Architecture, Network};
use wick_runs::{Input, write_atomic};
use wick_train::DataRecord;

use crate::cli::SummaryArgs;
use crate::context::{Run, StageEnd, Work, needs};

pub fn run(args: &SummaryArgs, json: bool) -> Result<StageEnd> {
    if let Some(path) = &args.run {
        let run = Run::open(path)?;
        needs(&run.dir.data(), "prepare")?;
        let inputs =
            vec![Input::path(run.dir.recipe_toml()), Input::value("batch_size", args.batch_size.to_string())];
        return run.stage("summary", inputs, args.skip_current.into(), || {
            let classes = DataRecord::read(&run.dir.data())?.class_names.len();
            let text = print(run.recipe.model.architecture, classes, args.batch_size, json)?;
            write_atomic(&run.dir.summary(), text.as_bytes())?;
            Ok(Work::Done(vec![run.dir.summary()]))
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
    print(architecture, classes, args.batch_size, json)?;
    Ok(StageEnd::Done)
}

fn print(architecture: Architecture, classes: usize, batch: usize, json: bool) -> Result<String> {
    let summary = architecture.summary(classes, batch)?;
    let text = summary.to_string();
    if json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        println!("{text}");
    }
    Ok(text)
}
