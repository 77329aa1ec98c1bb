//! `cargo xtask reproduce`: a whole run, stage by stage, each a process of its own.

mod stages;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use wick_runs::{Figure, RunDir, STAGES};

use crate::dataset;
use stages::Pipeline;

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
    /// Passes over the training images. `one_cycle`, and a schedule whose length is "run", stretch to fit; others keep their lengths,
    /// and one that is longer than the run is refused.
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Training images to use; fewer of them make fewer steps an epoch.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Training images to set aside and judge by, instead of the test split.
    #[arg(long, value_name = "N")]
    holdout: Option<usize>,
    /// How activations are stored: f32 or bf16; on a GPU also tf32, which is f32 but for the factors of products.
    #[arg(long, value_name = "NAME", value_parser = ["f32", "tf32", "bf16"])]
    precision: Option<String>,
    /// Keys every random number.
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Repeat with the seeds 0 to N-1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// Change any value of the recipe, for instance `--set schedule.max_lr=0.01`; may be repeated.
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
    /// Where the stages that run the network compute: auto, cpu, cuda or cuda:1 [default: auto, a GPU if there is one].
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// On a GPU: the same bits in every run, a little slower.
    #[arg(long)]
    deterministic: bool,
}

/// `gradcam --evaluate`, as the manifest calls it: telling how well each method explains, over a few images.
const JUDGING_MAPS: &str = "gradcam-evaluate";

/// Those that know no data.
const WITHOUT_DATA: [&str; 2] = ["summary", "report"];

/// Those that compute where `--device` says.
const ON_A_DEVICE: [&str; 5] = ["find-lr", "train", "evaluate", "gradcam", JUDGING_MAPS];

/// Interrupted by Ctrl-C; what is on disk is whole.
const INTERRUPTED: u8 = 130;

/// Carries out the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let pipeline = Pipeline::build(args.threads)?;
    let recipes = once_each(&args.recipes);
    for recipe in &recipes {
        // Before anything is downloaded for it.
        pipeline.check_recipe(recipe)?;
    }
    let data = data(args)?;
    // From here on a Ctrl-C is the stage's, which saves its work; this process waits for it and says how to go on.
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || asked.store(true, Ordering::Relaxed)).context("cannot listen for Ctrl-C")?;
    let mut runs = Vec::new();
    for recipe in &recipes {
        for seed in seeds(args) {
            let run = begin_or_go_on(args, &pipeline, recipe, seed, data.as_deref())?;
            for stage in stages() {
                eprintln!("== {}", words(stage));
                let mut arguments = stage_arguments(stage, run.path(), data.as_deref());
                arguments.extend(device_arguments(args, stage));
                let status = pipeline.run(&arguments)?;
                // A stage that was about to end has ended well; the next does not begin.
                let stopped = stop.load(Ordering::Relaxed);
                if status.success() && !stopped {
                    continue;
                }
                if status.success() || status.code() == Some(INTERRUPTED.into()) {
                    eprintln!("go on with: {}", resume_line(std::env::args_os().skip(1)));
                    return Ok(ExitCode::from(INTERRUPTED));
                }
                // A stage that refused has said why; one that was killed could not.
                let done = run.path().display();
                let stage = words(stage);
                eprintln!("the stage `{stage}` ended with {status}; what came before it is in {done}");
                return Ok(ExitCode::from(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1)));
            }
            tell(&run);
            runs.push(run);
        }
    }
    let Some(arguments) = compare_arguments(&runs, &args.runs) else { return Ok(ExitCode::SUCCESS) };
    eprintln!("== compare");
    let status = pipeline.run(&arguments)?;
    if !status.success() {
        // It has said why. What was asked for is there.
        eprintln!("the runs are whole; they were not compared");
    }
    Ok(ExitCode::SUCCESS)
}

/// Each recipe once, in the order of its first mention.
fn once_each(recipes: &[String]) -> Vec<&String> {
    let first = |(i, recipe): &(usize, &String)| !recipes[..*i].contains(recipe);
    recipes.iter().enumerate().filter(first).map(|(_, recipe)| recipe).collect()
}

/// What compares the runs that were made with each other, where there are several.
fn compare_arguments(runs: &[RunDir], folder: &Path) -> Option<Vec<OsString>> {
    let made = runs.iter().map(|run| run.path().into());
    let out = [OsString::from("--out"), folder.join("comparison").into()];
    (runs.len() > 1).then(|| std::iter::once("compare".into()).chain(made).chain(out).collect())
}

fn begin_or_go_on(
    args: &Args,
    pipeline: &Pipeline,
    recipe: &str,
    seed: Option<u64>,
    data: Option<&Path>,
) -> Result<RunDir> {
    if args.resume {
        if let Some(run) = latest(&args.runs, recipe, seed)? {
            eprintln!(
                "going on with {} as it was prepared; flags that would change its recipe are not looked at",
                run.path().display()
            );
            return Ok(run);
        }
        eprintln!("there is no run of {recipe} to go on with in {}; beginning one", args.runs.display());
    }
    pipeline.prepare(args, recipe, seed, data)
}

/// Those of a run that is prepared, in order.
fn stages() -> impl Iterator<Item = &'static str> {
    STAGES.into_iter().filter(|stage| *stage != "prepare")
}

/// As a stage is asked for.
fn words(stage: &str) -> &str {
    if stage == JUDGING_MAPS { "gradcam --evaluate" } else { stage }
}

fn stage_arguments(stage: &str, run: &Path, data: Option<&Path>) -> Vec<OsString> {
    let (name, more) = match stage {
        JUDGING_MAPS => ("gradcam", &["--evaluate", "--sample", "10"][..]),
        stage => (stage, &[][..]),
    };
    let mut arguments: Vec<OsString> = vec![name.into(), "--run".into(), run.into(), "--skip-current".into()];
    arguments.extend(more.iter().map(OsString::from));
    if stage == "train" {
        arguments.push("--resume".into());
    }
    if let Some(data) = data.filter(|_| !WITHOUT_DATA.contains(&stage)) {
        arguments.extend(["--data".into(), data.into()]);
    }
    arguments
}

/// Where a stage is to compute, and how, if anything was said of it.
fn device_arguments(args: &Args, stage: &str) -> Vec<OsString> {
    if !ON_A_DEVICE.contains(&stage) {
        return Vec::new();
    }
    let device = args.device.iter().flat_map(|device| ["--device".into(), device.into()]);
    device.chain(args.deterministic.then(|| "--deterministic".into())).collect()
}

/// The command as it was given, for a shell, with `--resume`.
fn resume_line(arguments: impl Iterator<Item = OsString>) -> String {
    let mut words: Vec<String> = vec!["cargo".into(), "xtask".into()];
    words.extend(arguments.map(|a| a.to_string_lossy().into_owned()).filter(|a| a != "--resume"));
    words.push("--resume".into());
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
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
    if args.resume {
        // Runs know where their data are; only one that has yet to begin needs to be told.
        let mut missing = false;
        for recipe in &args.recipes {
            for seed in seeds(args) {
                missing |= latest(&args.runs, recipe, seed)?.is_none();
            }
        }
        if !missing {
            return Ok(None);
        }
    }
    dataset::fetch::default_folder().map(Some)
}

/// The latest run of a recipe with a seed (any seed for none).
fn latest(runs: &Path, recipe: &str, seed: Option<u64>) -> Result<Option<RunDir>> {
    let folder = runs.join(recipe_name(recipe)?);
    let Some(seed) = seed else { return Ok(RunDir::open(&folder).ok()) };
    let ending = format!("-seed{seed}");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(None) };
    // Names begin with the time, so the last by name is the latest.
    let newest = entries.flatten().map(|e| e.path()).filter(|p| p.to_string_lossy().ends_with(&ending)).max();
    Ok(newest.and_then(|path| RunDir::open(&path).ok()))
}

/// The name under which a recipe's runs are kept: that of a file stands in it.
fn recipe_name(recipe: &str) -> Result<String> {
    let path = Path::new(recipe);
    if path.extension().is_none_or(|e| e != "toml") {
        return Ok(recipe.to_owned());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the recipe {recipe}"))?;
    let table: toml::Table = text.parse().with_context(|| format!("{recipe} is not valid TOML"))?;
    let name = table.get("name").and_then(toml::Value::as_str);
    name.map(str::to_owned).with_context(|| format!("the recipe {recipe} has no `name`"))
}

fn tell(run: &RunDir) {
    println!("\neverything is in {}; to look at first:", run.path().display());
    println!("  {}", run.report().display());
    for figure in [Figure::Curves, Figure::Misclassified, Figure::Confusion] {
        println!("  {}", run.figure(figure).display());
    }
    for method in run.cams().unwrap_or_default() {
        if let Ok(cam) = run.cam(&method) {
            println!("  {}", cam.grid().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use wick_runs::Timestamp;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn only_what_runs_the_network_is_told_where() {
        let told = |words: &[&str], stage: &str| {
            let words = ["reproduce", "s11"].iter().chain(words);
            device_arguments(&Cli::try_parse_from(words).unwrap().args, stage)
        };
        let flags = ["--device", "cuda:1", "--deterministic"];
        for stage in stages() {
            let runs_it = ["find-lr", "train", "evaluate", "gradcam", "gradcam-evaluate"].contains(&stage);
            let expected = if runs_it { &flags[..] } else { &[] };
            assert_eq!(told(&flags, stage), expected, "{stage}");
            assert!(told(&[], stage).is_empty(), "{stage}");
        }
        assert_eq!(told(&["--device", "cpu"], "train"), ["--device", "cpu"]);
    }

    #[test]
    fn going_on_repeats_the_command() {
        let typed = ["reproduce", "s11", "--seeds", "5", "--resume"].map(OsString::from);
        assert_eq!(resume_line(typed.into_iter()), "cargo xtask reproduce s11 --seeds 5 --resume");
        let typed =
            ["reproduce", "s11", "--set", "groups=[{ lr = 2.0 }]", "--data", "my data"].map(OsString::from);
        let expected = "cargo xtask reproduce s11 --set 'groups=[{ lr = 2.0 }]' --data 'my data' --resume";
        assert_eq!(resume_line(typed.into_iter()), expected);
    }

    #[test]
    fn the_latest_run_is_found_by_name_and_seed() {
        let runs = tempfile::tempdir().unwrap();
        let make = |seed, second| {
            let run =
                RunDir::create(runs.path(), "mine", seed, Timestamp::from_second(second).unwrap()).unwrap();
            std::fs::write(run.recipe_toml(), "").unwrap();
            run.path().to_owned()
        };
        let (_, second, other) = (make(1, 1_000), make(1, 2_000), make(11, 3_000));
        let path =
            |recipe: &str, seed| latest(runs.path(), recipe, seed).unwrap().map(|r| r.path().to_owned());
        assert_eq!(path("mine", Some(1)), Some(second));
        assert_eq!(path("mine", Some(2)), None);
        assert_eq!(path("mine", None).unwrap().file_name(), other.file_name());
        assert_eq!(path("yours", Some(1)), None);

        let file = runs.path().join("anything.toml");
        std::fs::write(&file, "name = \"mine\"\n").unwrap();
        assert_eq!(path(file.to_str().unwrap(), Some(11)), Some(other));
        std::fs::write(&file, "epochs = 3\n").unwrap();
        assert!(latest(runs.path(), file.to_str().unwrap(), None).is_err());
    }

    #[test]
    fn a_recipe_named_twice_is_done_once() {
        let named = ["s11", "mine.toml", "s11", "mine.toml"].map(String::from);
        assert_eq!(once_each(&named), ["s11", "mine.toml"]);
    }

    #[test]
    fn several_runs_are_compared() {
        let run = |name: &str| RunDir::names_below(&Path::new("runs").join(name));
        let runs = [run("a/0"), run("b/0")];
        let words = compare_arguments(&runs, Path::new("runs")).unwrap();
        assert_eq!(
            words,
            ["compare", "runs/a/0", "runs/b/0", "--out", "runs/comparison"].map(OsString::from)
        );
        assert_eq!(compare_arguments(&runs[..1], Path::new("runs")), None);
    }

    #[test]
    fn only_training_resumes_and_only_two_stages_take_no_data() {
        let has = |stage: &str, flag: &str| {
            stage_arguments(stage, Path::new("run"), Some(Path::new("data"))).contains(&flag.into())
        };
        for stage in stages() {
            assert_eq!(has(stage, "--resume"), stage == "train");
            assert_eq!(has(stage, "--data"), !["summary", "report"].contains(&stage));
        }
    }
}
