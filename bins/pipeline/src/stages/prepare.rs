//! `prepare`: begins a run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;
use wick_models::Network;
use wick_runs::{DatasetRecord, Input, Manifest, RunDir, Timestamp, git_revision, write_atomic};
use wick_train::{Data, DataRecord};

use crate::cli::PrepareArgs;
use crate::context::{Run, StageEnd, WhenCurrent, Work};
use crate::terminal::{count, tell};

pub fn run(args: &PrepareArgs) -> Result<StageEnd> {
    let recipe = crate::recipes::resolve(&args.recipe)?;
    // Whatever cannot be carried out is refused before the folder exists.
    let data = Data::load(&recipe, args.data.as_deref())?;
    let network =
        Network::new(recipe.model.architecture, data.classes(), recipe.seed, &candle_core::Device::Cpu)?;
    let (layers, asked) = (network.model.layers(), &recipe.evaluate.cam_layer);
    anyhow::ensure!(
        layers.contains(&asked.as_str()),
        "the recipe's evaluate.cam_layer is {asked}; {} has {}",
        recipe.model.architecture,
        layers.join(", ")
    );
    super::gradcam::of_recipe(&recipe.evaluate.cam_methods)?;
    let length = recipe.length(data.train_indices.len());
    recipe.optimizer(&network.parameters)?;
    recipe.average(&network.parameters, length)?;
    recipe.check_length(length)?;
    let recipe = recipe.over(length);

    let dir = RunDir::create_unlisted(&args.runs, &recipe.name, recipe.seed, Timestamp::now())
        .with_context(|| format!("cannot make a run folder in {}", args.runs.display()))?;
    let mut manifest = Manifest::begin(command(), "cpu");
    manifest.git_revision = std::env::current_dir().ok().and_then(|here| git_revision(&here));
    manifest.dataset = Some(DatasetRecord {
        name: data.name().to_owned(),
        sha256: data.sha256.clone(),
        train: data.train_indices.len(),
        test: data.judging().1.len(),
    });
    manifest.threads = rayon::current_num_threads();
    manifest.versions = BTreeMap::from([("wick".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);

    let run = Run { dir, recipe };
    let end = begin(&run, &manifest, &data).inspect_err(|_| {
        // A run that never came to be leaves nothing; if even that fails, the first error is the one to tell.
        let _ = std::fs::remove_dir_all(run.dir.path());
    })?;

    let path = run.dir.path();
    let text = || {
        let [train, test] = [data.train_indices.len(), data.judging().1.len()].map(count);
        let judge = if data.holdout_indices.is_empty() { "test" } else { "held-out" };
        format!("{}: {train} training and {test} {judge} images of {}", run.recipe.name, data.name())
    };
    tell(text, &[path.to_owned()], || json!({ "run": path.display().to_string() }))?;
    Ok(end)
}

/// Writes what makes a folder a run, then points `latest` at it.
fn begin(run: &Run, manifest: &Manifest, data: &Data) -> Result<StageEnd> {
    manifest.write(&run.dir)?;
    let inputs = vec![Input::Value { name: "dataset".to_owned(), sha256: data.sha256.clone() }];
    let end = run.stage("prepare", inputs, WhenCurrent::Again, || {
        write_atomic(&run.dir.recipe_toml(), run.recipe.to_string().as_bytes())?;
        DataRecord::of(data).write(&run.dir.data())?;
        Ok(Work::Done(vec![run.dir.recipe_toml(), run.dir.data()]))
    })?;
    run.dir.make_latest()?;
    Ok(end)
}

/// The command line, the program by its name: where it lies says something of one machine alone.
fn command() -> Vec<String> {
    let mut words = std::env::args_os();
    let program = words.next().map(PathBuf::from).unwrap_or_default();
    let name = program.file_name().unwrap_or_default().to_owned();
    std::iter::once(name).chain(words).map(|word| word.to_string_lossy().into_owned()).collect()
}
