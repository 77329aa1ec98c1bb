//! The stages of a training run as subcommands.

fn main() {}
