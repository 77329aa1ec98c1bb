//! A made-up training run, interrupted once: `cargo run -p wick-tensorboard --example training -- FOLDER`, then
//! `tensorboard --logdir FOLDER`, or `checks/read.py FOLDER`.
#![allow(clippy::print_stdout)]

use std::path::Path;

use wick_tensorboard::{
    EventWriter, HParam, HParams, Histogram, Image, Metric, Options, SessionStatus, Split, TensorBoardError,
};

fn main() -> Result<(), TensorBoardError> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "tb".to_owned());
    let folder = Path::new(&folder);

    let mut events = EventWriter::create(folder, Options::default())?;
    let lr = ("optim.lr".to_owned(), HParam::Number(0.01));
    let model = ("model".to_owned(), HParam::Text("resnet18".to_owned()));
    let metric = Metric { tag: "accuracy/test".into(), name: "test accuracy".into(), split: Split::Held };
    events.hparams(&HParams { values: [lr, model].into(), metrics: vec![metric] })?;
    (1..=60).try_for_each(|step| train(&mut events, step))?;
    events.flush()?;

    // Killed here; the last checkpoint is of step 50.
    let mut events = EventWriter::resume(folder, 51, Options::default())?;
    (51..=100).try_for_each(|step| train(&mut events, step))?;
    let pixels: Vec<u8> =
        (0..64 * 64).flat_map(|i| [(i % 64) * 4, (i / 64) * 4, 128]).map(|v| v as u8).collect();
    events.image("figures/gradient", 100, &Image::rgb(&pixels, 64, 64)?)?;
    events.text("notes", 100, "The loss **falls**.")?;
    events.end(SessionStatus::Success)?;
    events.flush()?;
    println!("{}", events.path().display());
    Ok(())
}

/// What a step would leave.
fn train(events: &mut EventWriter, step: u64) -> Result<(), TensorBoardError> {
    let t = step as f64 / 100.0;
    events.scalar("loss/train", step, 2.3 * (-2.0 * t).exp())?;
    if step.is_multiple_of(10) {
        events.scalar("accuracy/test", step, 0.9 - 0.8 * (-4.0 * t).exp())?;
        let weights: Vec<f32> =
            (0..1000).map(|i| (f64::from(i) * 0.37).sin() as f32 * (0.1 + t as f32)).collect();
        events.histogram("weights/conv1.weight", step, &Histogram::new(&weights)?)?;
    }
    Ok(())
}
