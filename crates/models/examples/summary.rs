//! Prints a network layer by layer: `cargo run -p wick-models --example summary [-- resnet34]`.
#![allow(clippy::print_stdout)]

use wick_models::{Architecture, ModelError};

fn main() -> Result<(), ModelError> {
    let architecture = match std::env::args().nth(1) {
        Some(name) => name.parse()?,
        None => Architecture::ResNet18,
    };
    print!("{}", architecture.summary(10, 32)?);
    Ok(())
}
