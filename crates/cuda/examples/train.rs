//! Trains one residual block on made-up images, all of it on a GPU, and shows where the time goes.
//!
//! `cargo run --release -p wick-cuda --example train`

use std::error::Error;

use wick_augment::{Augmentation, Key, Size, Transform};
use wick_cuda::training::{Clip, Data, Epoch, Group, Momentum, Rates, Rule, Settings, Step, Trainer};
use wick_cuda::{Device, Numbers, Options};
use wick_graph::{BatchNorm, Bias, Conv2d, Graph, GraphError, Parameter};

/// Of the data set.
const IMAGES: usize = 1024;
const BATCH: usize = 64;
/// Rows and columns.
const SIDE: usize = 16;

fn network() -> Result<Graph, GraphError> {
    let mut g = Graph::new([SIDE, SIDE, 3]);
    let conv = Conv2d { out_channels: 32, ..Conv2d::default() };
    let x = g.conv2d(g.input(), "conv1", conv)?;
    let x = g.batch_norm(x, "bn1", BatchNorm::default())?;
    let x = g.relu(x)?;
    let y = g.conv2d(x, "block.conv1", conv)?;
    let y = g.batch_norm(y, "block.bn1", BatchNorm::default())?;
    let y = g.relu(y)?;
    let y = g.conv2d(y, "block.conv2", conv)?;
    let y = g.batch_norm(y, "block.bn2", BatchNorm::default())?;
    let y = g.add(y, x)?;
    let y = g.relu(y)?;
    let y = g.global_avg_pool2d(y)?;
    g.linear(y, "linear", 2, Bias::Learnt)?;
    Ok(g)
}

/// Weights that differ from each other; norms that start as 1 and 0.
fn start(p: &Parameter) -> Vec<f32> {
    match (p.shape.len(), p.name.ends_with("weight") || p.name.ends_with("running_var")) {
        (1, is_factor) => vec![f32::from(u8::from(is_factor)); p.len()],
        _ => (0..p.len()).map(|i| ((i * 7919 % 1000) as f32 / 1000.0 - 0.5) * 0.2).collect(),
    }
}

/// Class 1 is brighter on the left than on the right.
fn pixel(i: usize) -> u8 {
    let (image, column) = (i / (SIDE * SIDE * 3), i / 3 % SIDE);
    let is_bright = (image % 2 == 1) == (column < SIDE / 2);
    (i * 104_729 % 127) as u8 + if is_bright { 128 } else { 0 }
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // an example talks
fn main() -> Result<(), Box<dyn Error>> {
    let device = match Device::open(0) {
        Ok(device) => device,
        Err(error) => {
            eprintln!("{error}");
            return Ok(());
        }
    };
    println!("{}, cuDNN {}", device.name(), device.cudnn_version());

    let images: Vec<u8> = (0..IMAGES * SIDE * SIDE * 3).map(pixel).collect();
    let labels: Vec<u8> = (0..IMAGES).map(|i| (i % 2) as u8).collect();
    let list = [Transform::normalize([0.5; 3], [0.25; 3])];
    let augmentation = Augmentation::new(&list, Size::new(SIDE, SIDE))?.packed()?;
    let data = Data {
        images: &images,
        labels: &labels,
        augmentation: &augmentation,
        label_smoothing: 0.0,
        parts: 1,
    };

    let graph = network()?;
    let settings = Settings {
        rule: Rule::Sgd { momentum: Momentum::Nesterov, dampening: 0.0 },
        weight_decay: 5e-4,
        l1: 0.0,
        clip: Clip::None,
        groups: vec![Group { learning_rate: 1.0, weight_decay: 1.0 }],
        group_of: vec![Some(0); graph.parameters().len()],
    };
    let options = Options { numbers: Numbers::Bf16, ..Options::default() };
    let mut trainer = Trainer::new(&device, &graph, options, settings, data)?;
    let values: Vec<Vec<f32>> = graph.parameters().iter().map(start).collect();
    trainer.executor().set_parameters(&values.iter().map(Vec::as_slice).collect::<Vec<_>>())?;

    let order: Vec<i32> = (0..IMAGES as i32).collect();
    let step = Step { rates: Rates { learning_rate: 0.05, momentum: 0.9 }, mix: None };
    for epoch in 1..=3 {
        let (mut words, mut packer) = (Vec::new(), augmentation.packer());
        (0..IMAGES as u64).for_each(|index| packer.pack_key(Key { seed: 0, epoch, index }, &mut words));
        trainer.begin_epoch(Epoch { order: &order, words: &words, batches: &[] })?;
        // Nothing is read back before the last of them.
        let reports = trainer.steps(0, BATCH, &[step; IMAGES / BATCH])?;
        let predicted = reports.iter().flat_map(|report| &report.predicted);
        let correct = predicted.zip(&labels).filter(|(predicted, label)| predicted == label).count();
        let loss = reports.iter().map(|report| report.loss).sum::<f64>() / reports.len() as f64;
        println!("epoch {epoch}: loss {loss:.4}, accuracy {:.1} %", 100.0 * correct as f64 / IMAGES as f64);
    }

    println!("\n{:.1} MB on the device\n", trainer.executor().bytes() as f64 / 1e6);
    trainer.executor().convolutions().iter().for_each(|line| println!("{line}"));
    println!();
    for (part, seconds) in trainer.executor().profile(BATCH)? {
        println!("{:8.1} us  {part}", seconds * 1e6);
    }
    Ok(())
}
