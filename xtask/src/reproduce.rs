//! `cargo xtask reproduce`: a whole run, stage by stage, each a process of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use wick_runs::{Figure, RunDir};

use crate::dataset;

/// Repeat published runs: fetch the data, train, evaluate, draw, and compare with what was published.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Recipes by name, or TOML files of your own.
    #[arg(required = true, value_name = "RECIPE")]
    recipes: Vec<String>,
    /// Use the generated shapes and a small budget, offline: a few minutes on two cores.
    #[arg(long, conflicts_with = "data")]
    quick: bool,
    /// CIFAR's binary files: a folder or the .tar.gz. Fetched into `data/` where neither this nor --quick is given.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Passes over the training images; the schedule is stretched to fit.
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Training images to use.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Training images to set aside and judge by, instead of the test split.
    #[arg(long, value_name = "N")]
    holdout: Option<usize>,
    /// Keys every random number.
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Repeat with the seeds 0 to N-1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// Change any value of the recipe, for instance `--set optim.momentum=0.8`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Where run folders are kept.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
    /// Go on with the latest run of each recipe and seed, as it was prepared.
    #[arg(long)]
    resume: bool,
    /// Threads to compute with; all cores unless given. No result depends on it.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// After `prepare`, in order.
const STAGES: [&str; 9] =
    ["preview", "summary", "find-lr", "train", "evaluate", "misclassified", "gradcam", "plot", "claims"];

/// Interrupted by Ctrl-C, with a checkpoint on disk.
const INTERRUPTED: i32 = 130;

/// Carries out the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    // A Ctrl-C reaches the stage as well, which saves its work; this process waits for it.
    ctrlc::set_handler(|| {}).context("cannot listen for Ctrl-C")?;
    let pipeline = Pipeline::build(args.threads)?;
    let data = data(args)?;
    for recipe in &args.recipes {
        for seed in seeds(args) {
            let run = match args.resume.then(|| latest(args, recipe, seed)).flatten() {
                Some(run) => {
                    eprintln!("going on with {} as it was prepared", run.path().display());
                    run
                }
                None => pipeline.prepare(args, recipe, seed, data.as_deref())?,
            };
            for stage in STAGES {
                let mut stage_args: Vec<OsString> =
                    vec![stage.into(), "--run".into(), run.path().into(), "--skip-current".into()];
                if stage == "train" {
                    stage_args.push("--resume".into());
                }
                eprintln!("== {stage}");
                match pipeline.run(&stage_args)? {
                    0 => {}
                    INTERRUPTED => {
                        eprintln!(
                            "go on with: cargo xtask reproduce {recipe} --runs {} --resume",
                            args.runs.display()
                        );
                        return Ok(ExitCode::from(INTERRUPTED as u8));
                    }
                    code => {
                        // The stage has said why.
                        eprintln!(
                            "the stage `{stage}` failed; what came before it is in {}",
                            run.path().display()
                        );
                        return Ok(ExitCode::from(u8::try_from(code).unwrap_or(2)));
                    }
                }
            }
            tell(&run);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn seeds(args: &Args) -> Vec<Option<u64>> {
    match args.seeds {
        Some(n) => (0..n).map(Some).collect(),
        None => vec![args.seed],
    }
}

/// The data to train on; fetched where they are needed and not there.
fn data(args: &Args) -> Result<Option<PathBuf>> {
    if args.quick || args.data.is_some() {
        return Ok(args.data.clone());
    }
    if args.resume
        && args.recipes.iter().all(|r| seeds(args).into_iter().all(|s| latest(args, r, s).is_some()))
    {
        return Ok(None);
    }
    dataset::fetch::default_folder().map(Some)
}

/// The latest run of a recipe with a seed (any seed for none).
fn latest(args: &Args, recipe: &str, seed: Option<u64>) -> Option<RunDir> {
    let name = Path::new(recipe).file_stem().map_or_else(|| recipe.into(), |s| s.to_string_lossy());
    let folder = args.runs.join(name.as_ref());
    let Some(seed) = seed else { return RunDir::open(&folder).ok() };
    let suffix = format!("-seed{seed}");
    let runs = std::fs::read_dir(&folder).ok()?.flatten();
    // Names begin with the time, so the last by name is the latest.
    let newest = runs.map(|e| e.path()).filter(|p| p.to_string_lossy().ends_with(&suffix)).max()?;
    RunDir::open(&newest).ok()
}

fn tell(run: &RunDir) {
    println!("\neverything is in {}; to look at first:", run.path().display());
    for figure in [Figure::Curves, Figure::Misclassified, Figure::Confusion] {
        println!("  {}", run.figure(figure).display());
    }
    for method in run.cams().unwrap_or_default() {
        if let Ok(cam) = run.cam(&method) {
            println!("  {}", cam.grid().display());
        }
    }
}

/// The built binary.
struct Pipeline {
    path: PathBuf,
    threads: Option<usize>,
}

#[derive(Deserialize)]
struct Prepared {
    run: PathBuf,
}

impl Pipeline {
    fn build(threads: Option<usize>) -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        eprintln!("building the pipeline (minutes the first time, nothing afterwards)");
        let status = Command::new(cargo)
            .args(["build", "--quiet", "--release", "--package", "wick-pipeline"])
            .status()
            .context("cannot start cargo")?;
        ensure!(status.success(), "the pipeline did not build");
        // Built with the same profile, it lies beside this program.
        let own = std::env::current_exe().context("cannot tell where this program lies")?;
        let path = own.with_file_name(format!("pipeline{}", std::env::consts::EXE_SUFFIX));
        ensure!(
            path.exists(),
            "{} is not there after the build; start this by `cargo xtask`",
            path.display()
        );
        Ok(Self { path, threads })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(threads) = self.threads {
            command.arg("--threads").arg(threads.to_string());
        }
        command
    }

    /// The exit code of a stage.
    fn run(&self, args: &[OsString]) -> Result<i32> {
        let status = self
            .command()
            .args(args)
            .status()
            .with_context(|| format!("cannot start {}", self.path.display()))?;
        Ok(status.code().unwrap_or(INTERRUPTED))
    }

    fn prepare(&self, args: &Args, recipe: &str, seed: Option<u64>, data: Option<&Path>) -> Result<RunDir> {
        let mut command = self.command();
        command.args(["prepare", "--json", "--recipe", recipe]).arg("--runs").arg(&args.runs);
        if args.quick {
            command.arg("--quick");
        }
        if let Some(data) = data {
            command.arg("--data").arg(data);
        }
        let numbers = [
            ("--epochs", args.epochs.map(|n| n as u64)),
            ("--limit", args.limit.map(|n| n as u64)),
            ("--holdout", args.holdout.map(|n| n as u64)),
            ("--seed", seed),
        ];
        for (flag, number) in numbers {
            if let Some(number) = number {
                command.arg(flag).arg(number.to_string());
            }
        }
        for assignment in &args.set {
            command.arg("--set").arg(assignment);
        }
        eprintln!("== prepare");
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start {}", self.path.display()))?;
        if !output.status.success() {
            bail!("the stage `prepare` failed; nothing was made");
        }
        let prepared: Prepared = serde_json::from_slice(&output.stdout)
            .context("the stage `prepare` did not name its run folder")?;
        eprintln!("{}", prepared.run.display());
        Ok(RunDir::open(&prepared.run)?)
    }
}
