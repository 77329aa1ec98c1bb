//! Penalties, clipping and groups, as a run applies them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::Device;
use wick_models::Network;
use wick_runs::{RunDir, StepRow, Timestamp, read_rows};
use wick_train::{Data, Event, Recipe, Start, TrainError, Warning, train};

use crate::tiny::tiny;

fn recipe(more: &str) -> Recipe {
    let settings = [
        "data.synthetic_train=20",
        "data.synthetic_test=8",
        "train.batch_size=10",
        "model.architecture=speedrun",
    ];
    tiny(&settings, more)
}

fn steps(recipe: &Recipe, root: &Path, name: &str) -> Result<Vec<StepRow>, TrainError> {
    let run = RunDir::create(root, name, 0, Timestamp::now()).unwrap();
    watched(recipe, &run)?;
    Ok(read_rows(&run.steps()).unwrap())
}

/// The warnings of a run.
fn watched(recipe: &Recipe, run: &RunDir) -> Result<Vec<Warning>, TrainError> {
    let data = Arc::new(Data::load(recipe, None)?);
    let mut warnings = Vec::new();
    train(recipe, &data, run, Start::Fresh, &AtomicBool::new(false), &mut |event| {
        if let Event::Warning(warning) = event {
            warnings.push(warning.clone());
        }
    })?;
    Ok(warnings)
}

#[test]
fn a_run_that_goes_wrong_says_so_once() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDir::create(root.path(), "wrong", 0, Timestamp::now()).unwrap();
    let wrong = "[data]\nsynthetic_train = 404\n[train]\nbatch_size = 2\n[gradients]\nl1 = 0.01\n[schedule]\nkind = \"exponential\"\ngamma = 0.99\n";
    let warnings = watched(&recipe(wrong), &run).unwrap();
    let penalty = warnings.iter().filter(|w| matches!(w, Warning::PenaltyDominates { .. })).count();
    let schedule = warnings.iter().filter(|w| matches!(w, Warning::ScheduleStandsStill { .. })).count();
    assert_eq!((penalty, schedule), (1, 1), "{warnings:?}");
}

#[test]
fn gradients_are_looked_at_now_and_then_where_the_optimiser_needs_no_norm() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDir::create(root.path(), "looked-at", 0, Timestamp::now()).unwrap();
    watched(&recipe("[data]\nsynthetic_train = 104\n[train]\nbatch_size = 2\n"), &run).unwrap();
    let text = std::fs::read_to_string(run.last_state()).unwrap();
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    // The 50th, and the epoch's last, which `norms.csv` needs; their mean logarithm is a number.
    assert_eq!(state["watched"]["norms"]["count"], 2, "{text}");
    assert!(state["watched"]["norms"]["mean"].as_f64().unwrap().is_finite());
}

#[test]
fn the_logged_loss_holds_the_penalty() {
    let root = tempfile::tempdir().unwrap();
    // Whose weights at first are as they are drawn; the other network's are set from the images.
    let resnet = "[model]\narchitecture = \"resnet18\"\n";
    let plain = steps(&recipe(resnet), root.path(), "plain").unwrap();
    let penalised_recipe = recipe(&format!("{resnet}[gradients]\nl1 = 1e-3\n"));
    let penalised = steps(&penalised_recipe, root.path(), "penalised").unwrap();

    let architecture = penalised_recipe.model.architecture;
    let network = Network::new(architecture, 10, penalised_recipe.seed, &Device::Cpu).unwrap();
    let magnitudes: f64 = network
        .parameters
        .trainable()
        .iter()
        .flat_map(|(_, var)| var.flatten_all().unwrap().to_vec1::<f32>().unwrap())
        .map(|p| f64::from(p).abs())
        .sum();
    // The same weights and images, so the same loss; sums of f64 in another order.
    let difference = penalised[0].loss - plain[0].loss;
    assert!((difference / (1e-3 * magnitudes) - 1.0).abs() < 1e-9, "{difference}, {magnitudes}");
}

#[test]
fn clipping_and_groups_change_what_is_learnt_and_not_the_first_loss() {
    let root = tempfile::tempdir().unwrap();
    let plain = steps(&recipe(""), root.path(), "plain").unwrap();
    for (name, more) in [
        ("value", "[gradients]\nclip = { value = 1e-4 }\n"),
        ("norm", "[gradients]\nclip = { norm = 1e-3 }\n"),
        ("groups", "[[groups]]\nof = \"vectors\"\nlr = 10.0\n"),
    ] {
        let other = steps(&recipe(more), root.path(), name).unwrap();
        assert_eq!(other[0].loss, plain[0].loss, "{name}");
        assert_ne!(other[1].loss, plain[1].loss, "{name}");
    }
}

#[test]
fn a_group_of_nobody_is_refused_before_anything_is_trained() {
    let root = tempfile::tempdir().unwrap();
    let nobody = recipe("[[groups]]\nof = { named = \"nobody\" }\nlr = 0.0\n");
    let said = steps(&nobody, root.path(), "nobody").unwrap_err().to_string();
    assert!(said.contains("\"nobody\"") && said.contains("none of the variables"), "{said}");
}
