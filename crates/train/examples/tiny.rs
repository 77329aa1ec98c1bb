//! Trains a ResNet-18 for one epoch on 64 generated images: a whole run, small enough to watch.
//!
//! `cargo run --release -p wick-train --example tiny [FOLDER]`
#![allow(clippy::print_stdout)] // an example shows what it does

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use wick_runs::{RunDir, Timestamp};
use wick_train::{Data, Event, Layers, Start, TrainError, train};

fn main() -> Result<(), TrainError> {
    let folder =
        std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("wick-tiny"), PathBuf::from);
    let recipe = Layers::default().over("tiny.toml", include_str!("tiny.toml"))?.resolve()?;
    let data = Arc::new(Data::load(&recipe, None)?);
    let run = RunDir::create(&folder, &recipe.name, recipe.seed, Timestamp::now())?;

    train(&recipe, &data, &run, Start::Fresh, &AtomicBool::new(false), &mut |event| match event {
        Event::Step(p) => println!("epoch {} step {}/{}: loss {:.3}", p.epoch, p.step, p.steps, p.loss),
        Event::Epoch { row, .. } => println!("test accuracy {:.1} %", 100.0 * row.test_accuracy),
        _ => {}
    })?;
    println!("everything is in {}", run.path().display());
    Ok(())
}
