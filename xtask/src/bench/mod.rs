//! `cargo xtask bench`: how fast a network trains here, alone, beside PyTorch, and as batches and threads grow.
//!
//! Every measurement is a process of its own, so that its peak memory is its own.

mod comparison;
mod load;
mod machine;
mod measurement;
mod peer;
mod rates;
mod record;
mod scaling;
mod spread;
mod table;
mod train_step;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
pub(crate) use rates::rates;
#[cfg(test)]
pub(crate) use rates::tests::keep;

/// Measure how fast a network trains here.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    TrainStep(train_step::Args),
    Scaling(scaling::Args),
}

/// What is measured.
#[derive(Debug, Clone, clap::Args)]
struct Work {
    /// The network: resnet18, resnet34, resnet18_ln, custom_resnet or speedrun.
    #[arg(long, value_name = "NAME", default_value = "resnet18")]
    work: String,
    /// How activations and the factors of products are stored: f32 or bf16.
    #[arg(long, value_name = "NAME", default_value = "f32")]
    precision: String,
    /// Timed training steps, after three untimed ones.
    #[arg(long, value_name = "N", default_value_t = 5)]
    steps: usize,
    /// Which way the network is computed, if not the usual one.
    #[arg(long, value_name = "NAME")]
    engine: Option<String>,
    /// Where to compute: auto, cpu, cuda or cuda:1 [default: auto, a GPU if there is one].
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
}

impl Work {
    /// For `pipeline bench train-step`.
    fn arguments(&self, batch: Option<usize>, threads: Option<usize>) -> Vec<OsString> {
        let mut arguments: Vec<OsString> =
            ["bench", "train-step", "--work", &self.work, "--precision", &self.precision, "--steps"]
                .map(OsString::from)
                .into();
        arguments.push(self.steps.to_string().into());
        let numbers = [("--batch", batch), ("--threads", threads)];
        for (flag, value) in numbers.into_iter().filter_map(|(flag, n)| Some((flag, n?))) {
            arguments.extend([flag.into(), value.to_string().into()]);
        }
        if let Some(engine) = &self.engine {
            arguments.extend(["--engine".into(), engine.into()]);
        }
        if let Some(device) = &self.device {
            arguments.extend(["--device".into(), device.into()]);
        }
        arguments
    }
}

/// Keeping the result.
#[derive(Debug, clap::Args)]
struct Keep {
    /// Write the result, with date, command and machine, under xtask/results/bench.
    #[arg(long)]
    record: bool,
    /// The machine's name in there [default: from the processor's name and its cores].
    #[arg(long, value_name = "NAME", requires = "record")]
    machine: Option<String>,
}

/// Carries out the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match &args.command {
        Command::TrainStep(args) => train_step::run(args),
        Command::Scaling(args) => scaling::run(args),
    }
}
