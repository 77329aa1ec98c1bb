//! Prints what a data set holds: `cargo run -p wick-cifar --example inspect [-- FOLDER|ARCHIVE]`.
//! Without an argument it draws the stand-in.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use wick_cifar::{CHANNELS, Dataset, Split};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let (what, dataset) = match std::env::args().nth(1) {
        Some(path) => (path.clone(), wick_cifar::load(Path::new(&path))?),
        None => ("the stand-in".to_owned(), wick_cifar::synthetic_dataset(0, 4000, 1000)),
    };
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: {} layout, ready in {seconds:.3} s", dataset.variant.name());
    for (name, split) in [("train", &dataset.train), ("test", &dataset.test)] {
        println!();
        print_split(name, split, &dataset);
    }
    Ok(())
}

fn print_split(name: &str, split: &Split, dataset: &Dataset) {
    let (mean, deviation) = channel_statistics(split);
    println!("{name}: {} images", split.len());
    println!("  red, green, blue   mean {mean:.4?}  standard deviation {deviation:.4?}");
    let counts = split.class_counts(dataset.class_names.len());
    for (name, count) in dataset.class_names.iter().zip(counts) {
        println!("  {count:6}  {name}");
    }
}

/// Mean and standard deviation of each channel, as fractions of 255.
fn channel_statistics(split: &Split) -> ([f64; CHANNELS], [f64; CHANNELS]) {
    let (mut sum, mut squares) = ([0_u64; CHANNELS], [0_u64; CHANNELS]);
    for pixel in split.images().as_chunks::<CHANNELS>().0 {
        for (channel, &byte) in pixel.iter().enumerate() {
            sum[channel] += u64::from(byte);
            squares[channel] += u64::from(byte).pow(2);
        }
    }
    let n = (split.images().len() / CHANNELS) as f64;
    let mean = sum.map(|sum| sum as f64 / n / 255.0);
    let deviation =
        std::array::from_fn(|c| (squares[c] as f64 / n / 255.0 / 255.0 - mean[c] * mean[c]).max(0.0).sqrt());
    (mean, deviation)
}
