//! Reads a list of transforms from TOML, says what happens to a few images, and how fast one core does it.
//!
//! `cargo run --release -p wick-augment --example s11`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::{Duration, Instant};

use serde::Deserialize;
use wick_augment::{Augmentation, Key, Size, Transform, ahead, random};

const RECIPE: &str = r#"
transforms = [
    { transform = "normalize", mean = [0.4914, 0.4822, 0.4471], std = [0.2469, 0.2433, 0.2615] },
    { transform = "horizontal_flip", p = 0.5 },
    { transform = "pad", amount = 4, border = "reflect101" },
    { transform = "random_crop", height = 32, width = 32 },
    { transform = "coarse_dropout", height = 16, width = 16, placement = "overhanging" },
]
"#;

#[derive(Deserialize)]
struct Recipe {
    transforms: Vec<Transform>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let recipe: Recipe = toml::from_str(RECIPE)?;
    let augmentation = Augmentation::new(&recipe.transforms, Size::new(32, 32))?;
    let names: Vec<&str> = augmentation.transforms().iter().map(Transform::name).collect();
    println!("{} → {}: {}", augmentation.input(), augmentation.output(), names.join(", "));

    println!("\nWhat seed 1 does to an image in each epoch (the same on any machine, in any batch):");
    for index in [0, 1, 49_999] {
        for epoch in 0..3 {
            let drawn = augmentation.draw(Key { seed: 1, epoch, index });
            println!("  image {index:>5}, epoch {epoch}: {}", augmentation.describe(&drawn));
        }
    }

    // Random bytes stand for images: the work does not depend on what they show.
    let count = 2_048;
    let images: Vec<u8> = (0..(count * 3072) as u64).map(|i| (random::splitmix64(i) >> 56) as u8).collect();
    let indices: Vec<usize> = (0..count).collect();

    // Several rounds, of which the fastest tells what the code can do when nothing else runs.
    let mut out = Vec::new();
    let mut best = Duration::MAX;
    for epoch in 0..10 {
        let start = Instant::now();
        for batch in indices.chunks(128) {
            augmentation.batch(1, epoch, batch, &images, &mut out)?;
        }
        best = best.min(start.elapsed());
    }
    println!("\nOne core, batches of 128: {:.0} images/s", count as f64 / best.as_secs_f64());

    // The same ahead of a consumer, on a thread of its own.
    let chunks: Vec<Vec<usize>> = indices.chunks(128).map(<[usize]>::to_vec).collect();
    let producer = augmentation.clone();
    let batches = ahead(
        2,
        chunks.into_iter().map(move |batch| {
            let mut out = Vec::new();
            producer.batch(1, 0, &batch, &images, &mut out).map(|()| out)
        }),
    );
    let (mut waited, mut made) = (Duration::ZERO, 0);
    let mut start = Instant::now();
    for batch in batches {
        waited += start.elapsed();
        made += batch?.len() / augmentation.output().values();
        std::thread::sleep(Duration::from_millis(10)); // a training step
        start = Instant::now();
    }
    println!(
        "Ahead of training steps of 10 ms: {made} images, {:.1} ms spent waiting for them in all",
        1e3 * waited.as_secs_f64()
    );
    Ok(())
}
