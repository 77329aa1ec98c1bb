//! Writes the stand-in as CIFAR-10 binary files, for another program to read:
//! `cargo run -p wick-cifar --example stand_in -- FOLDER [TRAIN TEST SEED]` (4000, 1000 and 0 if not given).
#![allow(clippy::print_stdout)]

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name a folder to write to")?;
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (train, test, seed) = (number(4000)?, number(1000)?, number(0)?);
    let dataset = wick_cifar::synthetic_dataset(seed, usize::try_from(train)?, usize::try_from(test)?);
    wick_cifar::write_folder(&dataset, Path::new(&folder))?;
    println!("wrote {train} training and {test} test images of drawn shapes (seed {seed}) to {folder}");
    Ok(())
}
