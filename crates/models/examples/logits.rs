//! Prints the logits of a checkpoint, Wick's or PyTorch's, for two generated images:
//! `cargo run -p wick-models --example logits -- CHECKPOINT [ARCHITECTURE]`.
//!
//! Without arguments it makes a new ResNet-18, and with `new ARCHITECTURE FILE` it writes one to a file.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use candle_core::{Device, Tensor};
use wick_models::{Architecture, Metadata, Network};

const SEED: u64 = 1;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let network = match arguments.as_slice() {
        [] => fresh(Architecture::ResNet18)?,
        ["new", name, file] => {
            let network = fresh(name.parse()?)?;
            network.save(Path::new(file), &Metadata::default())?;
            network
        }
        [file] => Network::load(Path::new(file), None, &Device::Cpu)?.0,
        [file, name] => Network::load(Path::new(file), Some(name.parse()?), &Device::Cpu)?.0,
        _ => return Err("usage: logits [CHECKPOINT [ARCHITECTURE] | new ARCHITECTURE FILE]".into()),
    };
    println!("{}, {} classes", network.architecture, network.classes);
    for row in network.model.forward_t(&images()?, false)?.to_vec2::<f32>()? {
        let row: Vec<String> = row.iter().map(f32::to_string).collect();
        println!("{}", row.join(" "));
    }
    Ok(())
}

/// A new network whose running statistics have seen three batches, so that evaluation is not the same as without any.
fn fresh(architecture: Architecture) -> candle_core::Result<Network> {
    let network = Network::new(architecture, 10, SEED, &Device::Cpu)?;
    for _ in 0..3 {
        wick_ops::no_grad(|| network.model.forward_t(&images()?, true))?;
    }
    Ok(network)
}

/// Two images; image `i` is `((7·row + 3·column + 85·channel + 31·i) mod 256) / 128 − 1`.
fn images() -> candle_core::Result<Tensor> {
    let mut values = Vec::new();
    for i in 0..2 {
        for row in 0..32 {
            for column in 0..32 {
                for channel in 0..3 {
                    values.push(((7 * row + 3 * column + 85 * channel + 31 * i) % 256) as f32 / 128.0 - 1.0);
                }
            }
        }
    }
    Tensor::from_vec(values, (2, 32, 32, 3), &Device::Cpu)
}
