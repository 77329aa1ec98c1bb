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

/// A number with its thousands apart: 170,052,171.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn thousands_are_apart() {
    assert_eq!([0, 999, 1000, 170_052_171].map(grouped), ["0", "999", "1,000", "170,052,171"]);
}
