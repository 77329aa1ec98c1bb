//! `cargo xtask bench train-step`.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use super::comparison::{Comparison, Round};
use super::load::Watch;
use super::measurement::{Measurement, measured};
use super::peer::Peer;
use super::record::Record;
use super::{Keep, Work, machine, table};
use crate::pipeline;

/// Images a second in training and evaluation, arithmetic, memory, and the error against f64.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    work: Work,
    /// Images in a batch [default: that of the network's recipe; 128 for the ResNets].
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Threads to compute with [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Tell the result as one line of JSON.
    #[arg(long)]
    json: bool,
    /// Break a step down by its parts.
    #[arg(long, conflicts_with = "peer")]
    profile: bool,
    /// Measure PyTorch in turn (WICK_PYTHON names a Python that has it), and tell the ratios.
    #[arg(long)]
    peer: bool,
    /// How often each is measured.
    #[arg(long, value_name = "N", default_value_t = 3, requires = "peer",
        value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    #[command(flatten)]
    keep: Keep,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut watch = Watch::before();
    if args.peer {
        // Before anything is built for it.
        let peer = Peer::from_environment()?;
        return beside(args, peer, watch);
    }
    let pipeline = pipeline::build()?;
    let told = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
    let mut arguments = args.work.arguments(args.batch, args.threads);
    arguments.extend(["--out".into(), told.path().into()]);
    arguments.extend(
        [(args.json, "--json"), (args.profile, "--profile")].iter().filter(|f| f.0).map(|f| f.1.into()),
    );
    watch.begin();
    let status = Command::new(&pipeline)
        .args(&arguments)
        .status()
        .with_context(|| format!("cannot start {}", pipeline.display()))?;
    if !status.success() {
        // It has said why.
        return Ok(ExitCode::from(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1)));
    }
    let load = watch.end();
    let text = std::fs::read_to_string(told.path()).context("cannot read what was measured")?;
    let result = Measurement::read(&text)?;
    Record::new(load, &result).keep(&args.keep, &name(args, &result, "alone"))?;
    Ok(ExitCode::SUCCESS)
}

/// Ours and PyTorch's in turn.
fn beside(args: &Args, mut peer: Peer, mut watch: Watch) -> Result<ExitCode> {
    let pipeline = pipeline::build()?;
    let mut arguments = args.work.arguments(args.batch, args.threads);
    arguments.push(OsString::from("--json"));
    watch.begin();
    let mut rounds = Vec::new();
    for round in 1..=args.rounds {
        // Before and after, since the machine changes meanwhile; of the settings of PyTorch's, too, the best rates count.
        let before = measured(&pipeline, &arguments)?;
        let theirs = peer.measure(&args.work, &before)?;
        let after = measured(&pipeline, &arguments)?;
        let ours = Measurement::best([before, after]).context("nothing was measured")?;
        eprintln!(
            "round {round} of {}: Wick {} images/s, PyTorch {} ({})",
            args.rounds,
            table::number(ours.img_per_s),
            table::number(theirs.img_per_s),
            super::peer::name(&theirs)
        );
        rounds.push(Round { ours, peer: theirs });
    }
    let load = watch.end();
    let last = rounds.last().context("nothing was measured")?;
    let name = name(args, &last.ours, "");
    let comparison = Comparison::of(rounds).context("nothing was measured")?;
    if args.json {
        println!("{}", serde_json::to_string(&comparison)?);
    } else {
        // In the same place as the figures, wherever that goes.
        let warning = load.warning().map(|warning| warning + "\n").unwrap_or_default();
        print!("{}{warning}", comparison.text());
    }
    Record::new(load, &comparison).keep(&args.keep, &name)?;
    Ok(ExitCode::SUCCESS)
}

/// Of the record: the usual comparison has the shortest.
fn name(args: &Args, ours: &Measurement, kind: &str) -> String {
    let Work { work, precision, engine, .. } = &args.work;
    let mut words = vec![work.clone(), precision.clone()];
    words.extend(args.batch.map(|n| format!("batch{n}")));
    words.extend(args.threads.map(|n| format!("threads{n}")));
    words.extend(engine.clone());
    words.extend(ours.gpu().map(machine::short));
    words.extend((!kind.is_empty()).then(|| kind.to_owned()));
    words.join("-")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::measurement::tests::example;
    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn parsed(words: &[&str]) -> Result<Args, clap::Error> {
        Cli::try_parse_from(["train-step"].iter().chain(words)).map(|cli| cli.args)
    }

    #[test]
    fn what_is_typed_reaches_the_pipeline() {
        let args =
            parsed(&["--work", "speedrun", "--precision", "bf16", "--batch", "32", "--steps", "7"]).unwrap();
        let words = args.work.arguments(args.batch, args.threads);
        let expected = [
            "bench",
            "train-step",
            "--work",
            "speedrun",
            "--precision",
            "bf16",
            "--steps",
            "7",
            "--batch",
            "32",
        ];
        assert_eq!(words, expected);
        let args = parsed(&["--engine", "autograd", "--threads", "1"]).unwrap();
        let words = args.work.arguments(args.batch, args.threads);
        assert_eq!(words[words.len() - 4..], ["--threads", "1", "--engine", "autograd"]);
        let args = parsed(&["--device", "cuda:1"]).unwrap();
        assert!(args.work.arguments(None, None).ends_with(&["--device".into(), "cuda:1".into()]));
    }

    #[test]
    fn records_of_different_settings_have_different_names() {
        let mut ours = example(1.0, 2.0, 3.0);
        let named = |words: &[&str], kind| name(&parsed(words).unwrap(), &ours, kind);
        assert_eq!(named(&["--peer"], ""), "resnet18-f32");
        let words = ["--batch", "32", "--threads", "1", "--engine", "autograd"];
        assert_eq!(named(&words, "alone"), "resnet18-f32-batch32-threads1-autograd-alone");
        ours.more.insert("device".into(), "NVIDIA H200".into());
        let args = parsed(&["--precision", "bf16", "--device", "cuda", "--peer"]).unwrap();
        assert_eq!(name(&args, &ours, ""), "resnet18-bf16-h200");
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        for words in [
            &["--rounds", "2"][..],
            &["--peer", "--rounds", "0"],
            &["--peer", "--profile"],
            &["--machine", "x"],
        ] {
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }
}
