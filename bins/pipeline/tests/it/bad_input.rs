//! What a user sees who gives something that cannot be: one paragraph, exit code 2, nothing half-made.

use std::fs;
use std::path::PathBuf;

use wick_optim::{ScheduleConfig, Span};
use wick_train::{Layers, Recipe};

use crate::common::{pipeline, prepare, refuse, run, succeed};

fn says(args: &[&str], words: &[&str]) {
    let said = refuse(args);
    for word in words {
        assert!(said.contains(word), "pipeline {} should name {word}: {said}", args.join(" "));
    }
}

#[test]
fn recipes() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path().join("runs");
    let runs = runs.to_str().unwrap();
    let mut prepare = vec!["prepare", "--quick", "--runs", runs, "--recipe"];
    prepare.push("s12");
    says(&prepare, &["s12", "s11"]);
    prepare.pop();
    prepare.push("missing.toml");
    says(&prepare, &["missing.toml"]);
    prepare.pop();
    prepare.extend(["s11", "--set", "optim.momentun=1"]);
    says(&prepare, &["momentun", "did you mean `momentum`?"]);
    prepare.pop();
    prepare.push("train.epochs=0");
    says(&prepare, &["train.epochs", "1 or more"]);
    prepare.pop();
    prepare.push("evaluate.cam_layer=layer9");
    says(&prepare, &["layer9", "layer4"]);
    prepare.pop();
    prepare.push("evaluate.cam_methods=[\"gradkam\"]");
    says(&prepare, &["gradkam", "did you mean `gradcam`?"]);
    prepare.pop();
    prepare.push("groups=[{ of = { named = \"nobody\" }, lr = 2.0 }]");
    says(&prepare, &["nobody", "none of the variables"]);
    prepare.pop();
    prepare.push("average={ kind = \"lookahead\", every = 501 }");
    says(&prepare, &["average.every is 501", "the steps of the run"]); // 4 epochs of 125
    assert!(!fs::exists(runs).unwrap(), "nothing should have been made");
}

/// The README's least recipe, which lists the transforms last, with more behind it.
fn mine(more: &str) -> String {
    let readme = include_str!("../../../../README.md");
    let least = readme.split("The least it must contain is").nth(1).unwrap();
    let least = least.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    format!("{least}\n{more}")
}

/// The run of `prepare --quick` and those arguments, and its recipe.
fn prepared(args: &[&str]) -> (PathBuf, Recipe) {
    let told = succeed(&[&["prepare", "--json", "--quick"], args].concat());
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let run = PathBuf::from(told["run"].as_str().unwrap());
    let recipe = Layers::default().over_file(&run.join("recipe.toml")).unwrap().resolve().unwrap();
    (run, recipe)
}

#[test]
fn a_recipe_of_ones_own_is_prepared() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("mine.toml"), mine("")).unwrap();
    let (run, recipe) = prepared(&["--recipe", &at("mine.toml"), "--runs", &at("runs")]);
    assert!(run.starts_with(at("runs/mine")), "{}", run.display());
    assert_eq!((recipe.name.as_str(), recipe.description.as_str()), ("mine", "What it is"));
    assert_eq!((recipe.optim.learning_rate(), recipe.train.batch_size), (0.01, 128), "base.toml's");
    assert_eq!(recipe.train.epochs, 4, "quick.toml's");
    assert_eq!((recipe.transforms.len(), recipe.normalisation().unwrap().mean[0]), (1, 0.4914));
}

#[test]
fn what_cannot_be_combined() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let (file, runs) = (at("mine.toml"), at("runs"));
    let prepare = ["prepare", "--quick", "--recipe", &file, "--runs", &runs];
    // Of 4 epochs of 4,000 images in batches of 128.
    for (more, words) in [
        (
            "[optim]\nmomentum = { nesterov = 0.9 }\ndampening = 0.1",
            &["momentum = { nesterov = 0.9 }", "dampening = 0.1"][..],
        ),
        (
            "[model]\narchitecture = \"resnet18_ghost3\"",
            &["train.batch_size is 128", "a multiple of 3", "model.architecture = \"resnet18_ghost3\""],
        ),
        (
            "[schedule]\nkind = \"cosine\"\nt_max = 30",
            &["schedule.t_max = 30 (per = \"epoch\")", "the run of 4 epochs of 32 steps", "say \"run\""],
        ),
        (
            "[schedule]\nkind = \"multi_step\"\nmilestones = [100, 128]\nper = \"step\"",
            &["schedule.milestones = [100, 128] (per = \"step\")", "128 in all", "train for more epochs"],
        ),
        (
            "[[transforms]]\ntransform = \"random_crop\"\nheight = 40\nwidth = 32",
            &["transforms[1] (random_crop): height = 40", "32"],
        ),
    ] {
        fs::write(&file, mine(more)).unwrap();
        says(&prepare, words);
        assert!(!fs::exists(&runs).unwrap(), "nothing should have been made: {more}");
    }
}

#[test]
fn a_schedule_as_long_as_the_run_goes_with_any() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path().join("runs").to_str().unwrap().to_owned();
    let muon = ["--recipe", "speedrun-muon", "--runs", &runs];
    let total = |more: &[&str]| {
        let (_, recipe) = prepared(&[&muon, more].concat());
        let ScheduleConfig::Linear(line) = recipe.schedule else { panic!("{:?}", recipe.schedule) };
        line.total
    };
    // Two steps of 2,000 images an epoch.
    assert_eq!(total(&[]), Span::from(8));
    assert_eq!(total(&["--epochs", "7"]), Span::from(14));
    assert_eq!(total(&["--set", "schedule.total=5"]), Span::from(5));
    let more = ["prepare", "--quick", "--epochs", "2", "--set", "schedule.total=5"];
    says(&[&more, &muon[..]].concat(), &["schedule.total = 5", "the run of 2 epochs of 2 steps, 4 in all"]);
}

#[test]
fn the_environment() {
    let output = pipeline().arg("recipes").env("WICK_ISA", "avx1024").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.starts_with("error: WICK_ISA is `avx1024`, expected one that this machine has: baseline"));
}

#[test]
fn devices() {
    says(&["recipes", "--device", "gpu"], &["`gpu` is no device", "`auto`", "`cpu`", "`cuda`", "`cuda:1`"]);
    says(&["recipes", "--device", "cuda:first"], &["cuda:first", "`cuda:0`"]);
    let bench = ["bench", "train-step", "--batch", "2", "--steps", "1", "--device", "cuda"];
    if run(&bench).status.success() {
        return; // there is a GPU here
    }
    // What is missing, under which name it was looked for, and what to do; or the number of a GPU that is not there.
    let said = refuse(&bench);
    let ways = [["was not found", ".so", "install"], ["no CUDA device 0", "the driver", "nvidia-smi"]];
    assert!(ways.iter().any(|words| words.iter().all(|word| said.contains(word))), "{said}");
}

#[test]
fn data_and_folders() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let runs = at("runs");
    says(&["prepare", "--recipe", "s11", "--runs", &runs], &["--data", "--quick"]);
    let nowhere = at("nowhere");
    says(&["prepare", "--recipe", "s11", "--runs", &runs, "--data", &nowhere], &["nowhere"]);
    fs::create_dir(at("empty")).unwrap();
    says(&["prepare", "--recipe", "s11", "--runs", &runs, "--data", &at("empty")], &["data_batch_1.bin"]);
    fs::write(at("file"), b"not a folder").unwrap();
    says(&["prepare", "--recipe", "s11", "--quick", "--runs", &at("file")], &["file"]);
    says(&["train", "--run", &nowhere], &["nowhere"]);
    assert!(!fs::exists(&runs).unwrap(), "nothing should have been made");
}

#[test]
fn checkpoints_and_photos() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let (junk, small, photo, out) =
        (at("junk.safetensors"), at("small.safetensors"), at("photo.png"), at("cam.png"));
    fs::write(&junk, b"these are no weights").unwrap();
    fs::write(&photo, b"this is no photo").unwrap();
    says(&["gradcam", "--checkpoint", &junk, "--image", &photo, "--out", &out], &["junk.safetensors"]);
    says(&["gradcam", "--checkpoint", &at("none.pth"), "--image", &photo, "--out", &out], &["none.pth"]);

    // Another architecture: the first tensor that does not fit is named.
    let network =
        wick_models::Network::new(wick_models::Architecture::ResNet18, 10, 0, &candle_core::Device::Cpu)
            .unwrap();
    network.save(small.as_ref(), &wick_models::Metadata::default()).unwrap();
    says(&["gradcam", "--checkpoint", &small, "--image", &photo, "--out", &out], &["photo.png"]);
    says(
        &["gradcam", "--checkpoint", &small, "--model", "resnet34", "--image", &photo, "--out", &out],
        &["layer1.2.conv1.weight", "resnet34"],
    );
    says(&["evaluate", "--checkpoint", &small], &["--data", "--image"]);
    let state = at("last.optim.safetensors");
    says(
        &["gradcam", "--checkpoint", &state, "--image", &photo],
        &["an optimiser's state", "/last.safetensors"],
    );
    says(&["gradcam", "--checkpoint", &small, "--indices", "3-7"], &["`3-7` is no image's number", "3,4,5"]);
    assert!(!fs::exists(&out).unwrap(), "nothing should have been drawn");
    assert!(!fs::exists("evaluation").unwrap(), "nothing should have been made");
}

#[test]
fn classes_and_layers_of_a_photo() {
    let root = tempfile::tempdir().unwrap();
    let weights = root.path().join("w.safetensors");
    let photo = root.path().join("photo.png");
    let network =
        wick_models::Network::new(wick_models::Architecture::ResNet18, 10, 0, &candle_core::Device::Cpu)
            .unwrap();
    network.save(&weights, &wick_models::Metadata::default()).unwrap();
    wick_viz::save_png(&wick_viz::RgbImage::new(40, 30), &photo).unwrap();
    let base = ["gradcam", "--checkpoint", weights.to_str().unwrap(), "--image", photo.to_str().unwrap()];
    says(&[&base[..], &["--target", "dragon"]].concat(), &["dragon", "airplane"]);
    says(&[&base[..], &["--target", "10"]].concat(), &["10", "0 to 9"]);
    says(&[&base[..], &["--target", "cat-dragon"]].concat(), &["cat-dragon", "the difference of two"]);
    says(&[&base[..], &["--layer", "layer5"]].concat(), &["layer5", "layer4"]);
    says(&[&base[..], &["--layer", "layer3,layer3"]].concat(), &["layer3", "twice"]);
    says(&[&base[..], &["--layer", "layer3+layer3"]].concat(), &["layer3+layer3", "twice"]);
    says(&[&base[..], &["--layer", "layer3,layer5"]].concat(), &["no layer layer5", "layer4"]);
    says(&[&base[..], &["--layer", "layer3+"]].concat(), &["\"layer3+\" has an empty name", "layer3+layer4"]);
    says(
        &[&base[..], &["--method", "layrcam"]].concat(),
        &["layrcam", "did you mean `layercam`?", "guided-gradcam"],
    );
    says(&[&base[..], &["--smooth", "blur"]].concat(), &["blur", "augment"]);
    says(&[&base[..], &["--evaluate"]].concat(), &["--evaluate", "--image"]);
}

#[test]
fn a_stage_whose_run_lost_its_data_says_so() {
    let root = tempfile::tempdir().unwrap();
    let run = prepare(root.path(), "runs", &[]);
    fs::remove_file(run.join("data.safetensors")).unwrap();
    says(&["find-lr", "--run", run.to_str().unwrap()], &["data.safetensors", "`prepare`"]);
    fs::remove_file(run.join("recipe.toml")).unwrap();
    says(&["find-lr", "--run", run.to_str().unwrap()], &["recipe.toml", "`prepare`"]);
}
