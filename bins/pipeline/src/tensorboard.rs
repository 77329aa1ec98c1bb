//! `tb/`: what TensorBoard shows of a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use rayon::prelude::*;
use serde_json::Value;
use wick_runs::{EpochRow, Figure, NormRow, RunDir, StepRow, TimingRow, read_rows};
use wick_tensorboard::{
    EventWriter, HParam, HParams, Histogram, Image, Metric, Options, SessionStatus, Split, TensorBoardError,
    event_files,
};
use wick_train::{Event, Recipe};

/// Points that TensorBoard keeps of a curve, unless told: steps between them would not be seen.
const POINTS: u64 = 1000;
/// Epochs of which the weights' histograms are kept, at most; one epoch's of a ResNet-18 take 60 kB.
const HISTOGRAMS: u64 = 40;
/// What the name of the file with the pictures ends in.
const FIGURES: &str = ".figures";

/// Writes a training run's events while it trains. Training goes on where that fails.
pub struct TensorBoard<'a> {
    run: &'a RunDir,
    recipe: &'a Recipe,
    /// Begun with the first step, where a resumed run takes up again.
    events: Option<EventWriter>,
    /// Steps from one point to the next.
    every: u64,
    step: u64,
    failed: Option<anyhow::Error>,
}

impl<'a> TensorBoard<'a> {
    /// Of a run over so many training images.
    pub fn new(run: &'a RunDir, recipe: &'a Recipe, images: usize) -> Self {
        let steps = (recipe.steps_per_epoch(images) * recipe.train.epochs) as u64;
        Self { run, recipe, events: None, every: steps.div_ceil(POINTS).max(1), step: 0, failed: None }
    }

    /// Takes in what happened.
    pub fn on(&mut self, event: &Event<'_>) {
        if self.failed.is_none() {
            self.failed = self.write(event).err();
        }
    }

    /// Says how the run ended, unless it is to go on; what could not be written.
    pub fn finish(mut self, status: Option<SessionStatus>) -> Option<anyhow::Error> {
        if let (Some(events), Some(status), None) = (&mut self.events, status, &self.failed) {
            self.failed = events.end(status).and_then(|()| events.flush()).err().map(Into::into);
        }
        self.failed
    }

    fn write(&mut self, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Rows(rows) => self.steps(rows)?,
            Event::Weights { weights, norms } => self.weights(weights, norms)?,
            Event::Epoch { row, timing, .. } => self.epoch(row, timing)?,
            _ => return Ok(()),
        }
        if let Some(events) = &mut self.events {
            events.flush()?;
        }
        Ok(())
    }

    fn steps(&mut self, rows: &[StepRow]) -> Result<()> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        self.step = last.step;
        if self.events.is_none() {
            self.events = Some(begin(self.run, self.recipe, first.step)?);
        }
        let Some(events) = &mut self.events else { return Ok(()) };
        for row in rows.iter().filter(|row| row.step == 1 || row.step.is_multiple_of(self.every)) {
            events.scalar("loss/step", row.step, row.loss)?;
            events.scalar("optimizer/learning_rate", row.step, row.lr)?;
        }
        Ok(())
    }

    fn weights(&mut self, weights: &[(String, Vec<f32>)], norms: &[NormRow]) -> Result<()> {
        let Some(events) = &mut self.events else { return Ok(()) };
        let total = |norms: Vec<f64>| norms.iter().map(|n| n * n).sum::<f64>().sqrt();
        events.scalar("norm/weights", self.step, total(norms.iter().map(|n| n.weight_norm).collect()))?;
        if let Some(gradients) = norms.iter().map(|n| n.gradient_norm).collect() {
            events.scalar("norm/gradients", self.step, total(gradients))?;
        }
        let (epoch, epochs) = (norms.first().map_or(0, |n| n.epoch), self.recipe.train.epochs as u64);
        if !epoch.is_multiple_of(epochs.div_ceil(HISTOGRAMS).max(1)) && epoch != epochs {
            return Ok(());
        }
        let counted: Vec<_> = weights.par_iter().map(|(_, values)| Histogram::new(values)).collect();
        for ((name, _), histogram) in weights.iter().zip(counted) {
            match histogram {
                Ok(histogram) => events.histogram(&format!("weights/{name}"), self.step, &histogram)?,
                // A network that comes apart is what one wants to look at: the norms tell of it.
                Err(TensorBoardError::NotFinite { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn epoch(&mut self, row: &EpochRow, timing: &TimingRow) -> Result<()> {
        let Some(events) = &mut self.events else { return Ok(()) };
        for (tag, value) in [
            ("loss/train", row.train_loss),
            ("loss/test", row.test_loss),
            ("accuracy/train", row.train_accuracy),
            ("accuracy/test", row.test_accuracy),
            ("optimizer/momentum", row.momentum),
            ("speed/images_per_second", timing.images_per_second),
        ] {
            events.scalar(tag, self.step, value)?;
        }
        Ok(())
    }
}

/// A file that begins, or goes on from a step. Steps, not epochs, count everywhere: a resumed run cuts by them.
fn begin(run: &RunDir, recipe: &Recipe, step: u64) -> Result<EventWriter> {
    let folder = run.tensorboard();
    if !event_files(&folder)?.is_empty() {
        return Ok(EventWriter::resume(&folder, step, Options::default())?);
    }
    let mut events = EventWriter::create(&folder, Options::default())?;
    let metric = |tag: &str, name: &str, split| Metric { tag: tag.to_owned(), name: name.to_owned(), split };
    events.hparams(&HParams {
        values: settings(&serde_json::to_value(recipe)?),
        metrics: vec![
            metric("accuracy/test", "test accuracy", Split::Held),
            metric("loss/test", "test loss", Split::Held),
            metric("accuracy/train", "train accuracy", Split::Training),
            metric("loss/train", "train loss", Split::Training),
        ],
    })?;
    events.text("recipe", 0, &format!("```toml\n{recipe}\n```"))?;
    Ok(events)
}

/// The recipe's keys that decide what is learnt, by their whole names.
fn settings(recipe: &Value) -> BTreeMap<String, HParam> {
    const LEFT_OUT: [&str; 5] =
        ["description", "published", "evaluate", "lr_finder", "train.checkpoint_minutes"];
    let mut settings = BTreeMap::new();
    flatten(recipe, String::new(), &mut settings);
    let is_part = |name: &str, of: &str| {
        name.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    settings.retain(|name, _| !LEFT_OUT.iter().any(|of| is_part(name, of)));
    settings
}

fn flatten(value: &Value, name: String, settings: &mut BTreeMap<String, HParam>) {
    let setting = match value {
        Value::Object(table) => {
            for (key, value) in table {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(value, name, settings);
            }
            return;
        }
        Value::Null => return,
        Value::Bool(yes) => HParam::Bool(*yes),
        Value::Number(number) => HParam::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => HParam::Text(text.clone()),
        // A list of transforms is told by their names.
        Value::Array(list) => HParam::Text(list.iter().map(brief).collect::<Vec<_>>().join(", ")),
    };
    settings.insert(name, setting);
}

fn brief(value: &Value) -> String {
    match value.get("transform").unwrap_or(value) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Has TensorBoard show the run's pictures, as of its last step; nothing before it has begun. The file with those of another time is replaced.
pub fn show_figures(run: &RunDir) -> Result<()> {
    // The first file of the folder is that of the training.
    let step = match read_rows::<StepRow>(&run.steps()) {
        Err(error) if error.is_missing() => return Ok(()),
        rows => rows?.last().map_or(0, |row| row.step),
    };
    let folder = run.tensorboard();
    let before: Vec<PathBuf> =
        event_files(&folder)?.into_iter().filter(|file| file.to_string_lossy().ends_with(FIGURES)).collect();
    let mut events =
        EventWriter::create(&folder, Options { suffix: FIGURES.to_owned(), ..Options::default() })?;
    for (tag, path) in pictures(run)? {
        events.image(&tag, step, &Image::png(fs::read(path)?)?)?;
    }
    events.flush()?;
    before.iter().try_for_each(fs::remove_file)?;
    Ok(())
}

/// The pictures that are there, and where TensorBoard shows them.
pub fn pictures(run: &RunDir) -> Result<Vec<(String, PathBuf)>> {
    let named = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        (format!("figures/{name}"), path)
    };
    let mut pictures: Vec<_> = Figure::ALL.iter().map(|figure| named(run.figure(*figure))).collect();
    pictures.push(("cam/methods".to_owned(), run.cam_methods()));
    for method in run.cams()? {
        let cams = run.cam(&method)?;
        pictures.push((format!("cam/{method}"), cams.grid()));
        pictures.push((format!("cam/{method}/classes"), cams.classes()));
    }
    pictures.retain(|(_, path)| path.exists());
    Ok(pictures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::names_below(folder.path());
        let cams = ["gradcam", "layercam"].map(|method| run.cam(method).unwrap());
        let [gradcam, layercam] = &cams;
        let files = [
            run.figure(Figure::Curves),
            run.cam_methods(),
            gradcam.grid(),
            gradcam.classes(),
            layercam.grid(),
        ];
        for file in &files {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, b"").unwrap();
        }
        let shown = pictures(&run).unwrap();
        let tags = ["figures/curves", "cam/methods", "cam/gradcam", "cam/gradcam/classes", "cam/layercam"];
        assert_eq!(shown, tags.map(str::to_owned).into_iter().zip(files).collect::<Vec<_>>());
    }

    #[test]
    fn settings_have_their_whole_names() {
        let recipe = serde_json::json!({
            "description": "left out",
            "published": { "epochs": 20 },
            "seed": 3,
            "optim": { "lr": 0.5, "momentum": { "nesterov": 0.9 }, "dampened": false },
            "train": { "batch_size": 32, "checkpoint_minutes": 3.0 },
            "transforms": [{ "transform": "normalize", "mean": [0.5] }, { "transform": "flip" }],
            "nothing": null,
        });
        let number = HParam::Number;
        let expected = [
            ("optim.dampened", HParam::Bool(false)),
            ("optim.lr", number(0.5)),
            ("optim.momentum.nesterov", number(0.9)),
            ("seed", number(3.0)),
            ("train.batch_size", number(32.0)),
            ("transforms", HParam::Text("normalize, flip".to_owned())),
        ];
        assert_eq!(settings(&recipe), expected.map(|(name, value)| (name.to_owned(), value)).into());
    }
}
