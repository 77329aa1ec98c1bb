//! `cargo xtask ci`: what every change must keep to.
//!
//! Each rule is a function from plain data ([`Workspace`]) to the lines that say what breaks it.

mod arrows;
mod commands;
mod dependencies;
mod layout;
mod lengths;
mod lexer;
mod run_files;
mod words;
mod workspace;

use std::path::Path;

use anyhow::{Context, bail};

use crate::results;
use workspace::Workspace;

/// Check the workspace's rules, formatting, lints, documentation and tests
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Check the rules only, which takes no building
    #[arg(long)]
    rules: bool,
}

/// A rule: its name, and what breaks it.
struct Rule {
    name: &'static str,
    check: fn(&Workspace) -> Vec<String>,
}

const RULES: &[Rule] = &[
    Rule { name: "a crate uses only those it may", check: arrows::members },
    Rule { name: "candle is known only where it may be", check: arrows::candle },
    Rule { name: "unsafe only in kernels, ops and cuda", check: words::unsafe_code },
    Rule { name: "cudarc only in cuda", check: words::cuda_bindings },
    Rule { name: "dependencies are the workspace's", check: dependencies::inherited },
    Rule { name: "one version of each dependency", check: dependencies::one_version },
    Rule { name: "only runs names the files of a run", check: run_files::named_elsewhere },
    Rule { name: "nothing new at the top level", check: layout::top_level },
    Rule { name: "every crate has its README, example, lints", check: layout::crates },
    Rule { name: "no file is too long", check: lengths::too_long },
];

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in no workspace")?;
    let workspace = Workspace::read(root)?;
    let mut failed = Vec::new();
    let mut tell = |name, broken: Vec<String>| {
        println!("{} {name}", if broken.is_empty() { "ok    " } else { "BROKEN" });
        for line in &broken {
            println!("         {line}");
        }
        if !broken.is_empty() {
            failed.push(name);
        }
    };
    for rule in RULES {
        tell(rule.name, (rule.check)(&workspace));
    }
    tell("tables of accuracies and rates match the records", results::stale(root)?);
    for note in dependencies::notes(&workspace) {
        println!("note   {note}");
    }
    if !args.rules {
        failed.extend(commands::run(root)?);
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("{} of the checks failed: {}", failed.len(), failed.join("; "))
}
