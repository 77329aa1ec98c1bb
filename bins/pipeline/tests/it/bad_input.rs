//! What a user sees who gives something that cannot be: one paragraph, exit code 2, nothing half-made.

use std::fs;

use crate::common::{pipeline, prepare, refuse, run};

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
