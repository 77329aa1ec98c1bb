//! `cargo xtask dataset`: getting CIFAR-10, and looking at a copy of it.

mod archive;
mod checksum;
mod download;
pub(crate) mod fetch;
mod headers;
mod progress;
mod stats;
#[cfg(test)]
mod test_server;
mod verify;

use clap::Subcommand;

/// Get CIFAR-10, or look at a copy of it
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Fetch(fetch::Args),
    Verify(verify::Args),
    Stats(stats::Args),
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Fetch(args) => fetch::run(args),
        Command::Verify(args) => verify::run(&args),
        Command::Stats(args) => stats::run(&args),
    }
}
