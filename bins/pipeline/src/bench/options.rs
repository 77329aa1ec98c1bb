//! What the command line says.

use std::fmt;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

/// `bench`
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub measured: Measured,
}

/// What is measured.
#[derive(Debug, Subcommand)]
pub enum Measured {
    /// Images a second in training and evaluation, arithmetic, memory, and the error against f64.
    TrainStep(TrainStepArgs),
}

/// `bench train-step`
#[derive(Debug, clap::Args)]
pub struct TrainStepArgs {
    /// The network, by name.
    #[arg(long, value_name = "NAME", default_value = "resnet18")]
    pub work: wick_models::Architecture,
    /// How activations and the factors of products are stored.
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub precision: Precision,
    /// Images in a batch [default: that of the network's recipe; 128 for the ResNets].
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub batch: Option<usize>,
    /// Timed training steps, after three untimed ones.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least_one)]
    pub steps: usize,
    /// Which way the network is computed.
    #[arg(long, value_enum, default_value_t = EngineKind::Compiled)]
    pub engine: EngineKind,
    /// Break a step down by its parts.
    #[arg(long)]
    pub profile: bool,
    /// Write the JSON line to a file, too.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How activations and the factors of products are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 4 bytes.
    F32,
    /// 2 bytes, with master weights and sums in f32.
    Bf16,
}

/// Which way a network is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// As a whole, in fused passes: what `train` does.
    Compiled,
    /// Op by op, by candle's autograd.
    Autograd,
}

impl From<Precision> for wick_ops::Precision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compiled => "compiled",
            Self::Autograd => "autograd",
        })
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let n: usize = text.parse().map_err(|e| format!("{e}"))?;
    if n == 0 { Err("allowed is 1 or more".to_owned()) } else { Ok(n) }
}
