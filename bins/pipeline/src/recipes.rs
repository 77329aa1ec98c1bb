//! The built-in recipes.

use std::path::Path;

use anyhow::{Result, bail};
use wick_runs::{MeasuredRow, parse_rows};
use wick_train::{Layers, Recipe};

use crate::cli::RecipeArgs;

const BASE: &str = include_str!("../recipes/base.toml");
const QUICK: &str = include_str!("../recipes/quick.toml");
const RECIPES: [(&str, &str); 14] = [
    ("s8-layernorm", include_str!("../recipes/s8-layernorm.toml")),
    ("s8-layernorm-published", include_str!("../recipes/s8-layernorm-published.toml")),
    ("s8-onecycle", include_str!("../recipes/s8-onecycle.toml")),
    ("s8-onecycle-published", include_str!("../recipes/s8-onecycle-published.toml")),
    ("s9-custom", include_str!("../recipes/s9-custom.toml")),
    ("s9-custom-published", include_str!("../recipes/s9-custom-published.toml")),
    ("s9-ghostbn", include_str!("../recipes/s9-ghostbn.toml")),
    ("s9-ghostbn-nesterov", include_str!("../recipes/s9-ghostbn-nesterov.toml")),
    ("s9-ghostbn-nesterov-published", include_str!("../recipes/s9-ghostbn-nesterov-published.toml")),
    ("s9-ghostbn-published", include_str!("../recipes/s9-ghostbn-published.toml")),
    ("s11", include_str!("../recipes/s11.toml")),
    ("s11-tuned", include_str!("../recipes/s11-tuned.toml")),
    ("speedrun", include_str!("../recipes/speedrun.toml")),
    ("speedrun-muon", include_str!("../recipes/speedrun-muon.toml")),
];

/// What they reached, as `cargo xtask results` gathers it.
const MEASURED: &[u8] = include_bytes!("../measured.csv");

/// What the built-in recipes reached in whole runs; a line for each machine and precision.
pub fn measured() -> Result<Vec<MeasuredRow>> {
    Ok(parse_rows(Path::new("measured.csv"), MEASURED)?)
}

/// All built-in recipes, resolved.
pub fn all() -> Result<Vec<Recipe>> {
    RECIPES.iter().map(|(name, _)| Ok(layers(name)?.resolve()?)).collect()
}

/// The recipe that the command line describes.
pub fn resolve(args: &RecipeArgs) -> Result<Recipe> {
    let mut layers = layers(&args.recipe)?;
    if args.quick {
        layers = layers.over("quick.toml", QUICK)?;
    }
    let flags = [
        ("train.epochs", args.epochs.map(|n| n as u64)),
        ("data.limit", args.limit.map(|n| n as u64)),
        ("data.holdout", args.holdout.map(|n| n as u64)),
        ("seed", args.seed),
    ];
    for (key, value) in flags {
        if let Some(value) = value {
            layers = layers.set(&format!("{key}={value}"))?;
        }
    }
    if let Some(precision) = &args.precision {
        layers = layers.set(&format!("train.precision={precision}"))?;
    }
    changed(layers, &args.set)
}

/// A recipe by name or file, with values changed.
pub fn named_with(recipe: &str, assignments: &[String]) -> Result<Recipe> {
    changed(layers(recipe)?, assignments)
}

fn changed(mut layers: Layers, assignments: &[String]) -> Result<Recipe> {
    for assignment in assignments {
        layers = layers.set(assignment)?;
    }
    Ok(layers.resolve()?)
}

/// A recipe by name or file, nothing changed.
pub fn named(recipe: &str) -> Result<Recipe> {
    Ok(layers(recipe)?.resolve()?)
}

fn layers(recipe: &str) -> Result<Layers> {
    let base = Layers::default().over("base.toml", BASE)?;
    if let Some((name, text)) = RECIPES.iter().find(|(name, _)| *name == recipe) {
        return Ok(base.over(&format!("{name}.toml"), text)?);
    }
    let path = Path::new(recipe);
    if path.extension().is_some_and(|e| e == "toml") {
        return Ok(base.over_file(path)?);
    }
    let known: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
    bail!(
        "there is no recipe named `{recipe}`; the built-in ones are {}, and a file's name ends in .toml",
        known.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use wick_models::Network;
    use wick_optim::OptimizerConfig;

    use super::*;

    #[test]
    fn every_recipe_resolves_and_replays_from_its_own_text() {
        for recipe in all().unwrap() {
            let again = Layers::default().over("text", &recipe.to_string()).unwrap().resolve().unwrap();
            assert_eq!(again, recipe);
        }
    }

    /// A recipe that is changed has not reached what it did before.
    #[test]
    fn what_was_measured_is_of_the_recipes_as_they_are() {
        for row in measured().unwrap() {
            let folder = format!("{}/../../xtask/results/{}", env!("CARGO_MANIFEST_DIR"), row.recipe);
            let kept = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
            let of_row = |path: &std::path::PathBuf| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                name.starts_with("seed") && name.ends_with(&format!("-{}", row.machine))
            };
            for run in kept.filter(of_row) {
                let run = Layers::default().over_file(&run.join("recipe.toml")).unwrap().resolve().unwrap();
                if serde_json::json!(run.train.precision) != row.precision.as_str() {
                    continue;
                }
                let now = [format!("seed={}", run.seed), format!("train.precision={}", row.precision)];
                let now = named_with(&row.recipe, &now).unwrap();
                let whole = now.length(50_000);
                let now = now.over(whole);
                assert_eq!(now.identity(), run.identity(), "{} with the seed {}", row.recipe, run.seed);
            }
        }
    }

    /// Built as a run would, of the length that CIFAR-10 gives it.
    #[test]
    fn every_recipe_goes_with_its_network() {
        let mut trained = 0;
        for recipe in all().unwrap() {
            let network = Network::new(recipe.model.architecture, 10, 0, &Device::Cpu).unwrap();
            let length = recipe.length(50_000);
            recipe.check_length(length).unwrap();
            recipe.average(&network.parameters, length).unwrap();
            let optimizer = recipe.optimizer(&network.parameters).unwrap();
            trained += optimizer.variables().len();
            let found = recipe.schedule.needs_range_test().then_some(0.1);
            let schedule = recipe.schedule(length, found).unwrap();
            let rates = (0..length.steps()).map(|step| schedule.at(step, &[]).learning_rate);
            assert!(rates.clone().all(|lr| lr > 0.0 && lr <= 2.0), "{}", recipe.name);
            let image = vec![7; wick_cifar::IMAGE_BYTES];
            let mut batch = Vec::new();
            recipe.augmentation().unwrap().batch(0, 1, &[0], &image, &mut batch).unwrap();
            assert_eq!(batch.len(), wick_cifar::IMAGE_BYTES, "{}", recipe.name);
            assert!(network.model.layers().contains(&recipe.evaluate.cam_layer.as_str()), "{}", recipe.name);
            assert!(recipe.normalisation().is_some(), "{}", recipe.name);
        }
        assert!(trained > 100, "{trained}");
    }

    /// The rates that the page states, as far as one step of 480 tells: OneCycle reaches its ends a step earlier.
    #[test]
    fn the_speedrun_is_as_published() {
        let recipe = named("speedrun").unwrap();
        let length = recipe.length(50_000);
        assert_eq!((length.epochs, length.steps()), (10, 480));
        let schedule = recipe.schedule(length, None).unwrap();
        let total = length.steps() as f64;
        for step in 0..length.steps() {
            let t = step as f64;
            let peak = 0.23 * total;
            let factor =
                if t < peak { 0.2 + 0.8 * t / peak } else { 1.0 - 0.93 * (t - peak) / (total - peak) };
            let point = schedule.at(step, &[]);
            let error = (point.learning_rate / 1.5 - factor).abs();
            assert!(error <= 0.8 / peak, "step {step}: {} instead of {factor}", point.learning_rate / 1.5);
            assert_eq!(point.momentum, None);
        }
        let OptimizerConfig::Sgd(sgd) = recipe.optim else { panic!("{:?}", recipe.optim) };
        let k = 1.0 + 1.0 / (1.0 - 0.85);
        assert!((sgd.learning_rate - 11.5 / k).abs() < 1e-12);
        // A step decays by the same for both groups.
        let [biases, whitening] = &recipe.groups[..] else { panic!("{:?}", recipe.groups) };
        for (lr, decay) in [(1.0, 1.0), (biases.learning_rate, biases.weight_decay)] {
            let decay = lr * decay * sgd.learning_rate * sgd.weight_decay;
            assert!((decay - 0.0153 / k).abs() < 1e-15, "{decay}");
        }
        assert_eq!((whitening.learning_rate, whitening.weight_decay), (1.0, 1.0));
        let network = Network::new(recipe.model.architecture, 10, 0, &Device::Cpu).unwrap();
        let last = |name: &str, axes| {
            recipe.groups.iter().rev().find(|g| g.has(name, axes)).map(|g| g.learning_rate)
        };
        for (name, var) in network.parameters.trainable() {
            let norm = name.ends_with(".2.bias") || name.ends_with(".5.bias");
            assert_eq!(last(&name, var.rank()).unwrap_or(1.0), if norm { 64.0 } else { 1.0 }, "{name}");
        }
    }

    /// airbench94_muon.py: rates 0.053 and 0.67 on the summed loss, a decay of 2e-6 a step and image, all falling to 0; its logits are
    /// divided by 256 where these are by 9, so that its last layer's weights are 256/9 times these.
    #[test]
    fn the_speedrun_with_muon_is_as_published() {
        let recipe = named("speedrun-muon").unwrap();
        let length = recipe.length(50_000);
        assert_eq!((length.epochs, length.steps()), (8, 200));
        let schedule = recipe.schedule(length, None).unwrap();
        for step in 0..length.steps() {
            let want = 0.24 * (1.0 - step as f64 / 200.0);
            assert!((schedule.at(step, &[]).learning_rate - want).abs() < 1e-12, "step {step}");
        }
        let OptimizerConfig::Muon(muon) = recipe.optim else { panic!("{:?}", recipe.optim) };
        let (last, biases) = (0.67 * 2000.0 * (9.0f64 / 256.0).powi(2), 0.053 * 2000.0);
        let network = Network::new(recipe.model.architecture, 10, 0, &Device::Cpu).unwrap();
        let elsewhere = network.parameters.trainable().into_iter().filter(|(_, var)| var.rank() != 4);
        let mut seen = 0;
        for (name, var) in elsewhere {
            let group = recipe.groups.iter().rev().find(|g| g.has(&name, var.rank()));
            let [lr, decay] = group.map_or([1.0; 2], |g| [g.learning_rate, g.weight_decay]);
            let lr = lr * muon.elsewhere.learning_rate * muon.learning_rate;
            let want = if name.ends_with(".bias") { biases } else { last };
            assert!((lr / want - 1.0).abs() < 1e-12, "{name}: {lr}");
            assert!((lr * decay * muon.weight_decay / 4e-3 - 1.0).abs() < 1e-12, "{name}");
            seen += 1;
        }
        assert_eq!(seen, 8, "six norms' biases, the whitening's and the last layer");
    }

    #[test]
    fn nesterov_is_all_that_the_two_ghosts_differ_in() {
        for ending in ["", "-published"] {
            let [plain, mut nesterov] =
                ["s9-ghostbn", "s9-ghostbn-nesterov"].map(|name| named(&format!("{name}{ending}")).unwrap());
            assert_ne!(plain.optim, nesterov.optim);
            nesterov.optim = plain.optim;
            assert_eq!(plain.identity(), nesterov.identity());
        }
    }
}
