//! What is said, where, and in what form.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{pipeline, prepare, run, succeed};

/// Of a stage's result, what else than `written` is in it.
const STAGES: [(&str, &[&str]); 9] = [
    ("preview", &["written"]),
    ("summary", &["rows", "parameters"]),
    ("find-lr", &["suggestions", "loss", "steps", "advice", "written"]),
    ("train", &["last", "best_by_test", "written"]),
    ("evaluate", &["images", "loss", "accuracy", "per_class", "written"]),
    ("misclassified", &["written"]),
    ("gradcam", &["written"]),
    ("plot", &["written"]),
    ("claims", &[]),
];

#[test]
fn programs_get_json_and_the_quiet_get_files() {
    let root = tempfile::tempdir().unwrap();
    let folder = prepare(root.path(), "runs", &["train.batch_size=8"]);
    let at = folder.to_str().unwrap();
    for (stage, keys) in STAGES {
        let told: Value = serde_json::from_str(&succeed(&[stage, "--run", at, "--json"]))
            .unwrap_or_else(|e| panic!("{stage}: {e}"));
        for key in keys {
            assert!(told.get(key).is_some(), "{stage} --json lacks {key}: {told}");
        }
        for file in told["written"].as_array().into_iter().flatten() {
            assert!(Path::new(file.as_str().unwrap()).is_file(), "{stage}: {file}");
        }
    }
    for (stage, _) in STAGES {
        let said = succeed(&[stage, "--run", at, "--json", "--skip-current"]);
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{stage}: {e}"));
        let retold = matches!(stage, "train" | "claims");
        assert!(retold || said["up_to_date"] == true, "{stage}: {said}");
    }
    for (stage, _) in STAGES {
        let more: &[&str] = if stage == "train" { &["--skip-current"] } else { &[] };
        let output = run(&[&[stage, "--run", at, "--quiet"], more].concat());
        assert!(output.stderr.is_empty(), "{stage}: {}", String::from_utf8_lossy(&output.stderr));
        let files: Vec<PathBuf> =
            String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect();
        assert!(!files.is_empty() && files.iter().all(|file| file.is_file()), "{stage}: {files:?}");
    }
    tables_are_whole(at, root.path());
}

/// Without a terminal: plain, complete, and the files last.
fn tables_are_whole(at: &str, root: &Path) {
    let said = succeed(&["train", "--run", at, "--skip-current"]);
    assert!(!said.contains('\u{1b}'), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("epoch  train loss  train acc %  test loss  test acc %"), "{said}");
    assert_eq!(lines.iter().filter(|line| line.ends_with("  best")).count(), 1, "{said}");
    assert!(said.contains("learning rate") && said.contains('█') && said.contains('▁'), "{said}");
    assert!(lines[lines.len() - 1].ends_with("last.safetensors"), "{said}");

    let said = succeed(&["evaluate", "--run", at]);
    assert!(said.contains("most often taken for") && said.contains("rows: true class"), "{said}");

    let out = root.join("comparison");
    let out = out.to_str().unwrap();
    let told: Value = serde_json::from_str(&succeed(&["compare", at, "--out", out, "--json"])).unwrap();
    assert_eq!(told["recipes"].as_array().unwrap().len(), 1);
    let files = succeed(&["compare", at, "--out", out, "--quiet"]);
    assert!(files.lines().count() == 3 && files.lines().all(|file| Path::new(file).is_file()), "{files}");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let said = |variables: &[(&str, &str)], args: &[&str]| {
        let mut pipeline = pipeline();
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            pipeline.env_remove(name);
        }
        let output = pipeline.args(args).envs(variables.iter().copied()).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let refused = ["train", "--run", "nowhere"];
    for args in [&["recipes"][..], &refused] {
        let plain = said(&[], args);
        assert!(!plain.contains('\u{1b}'), "{plain}");
        let forced = said(&[("CLICOLOR_FORCE", "1")], args);
        assert!(forced.contains("\u{1b}["), "{forced}");
        assert_eq!(console::strip_ansi_codes(&forced), plain, "colour is all that is added");
        assert_eq!(said(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], args), plain);
        assert_eq!(
            said(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")], args),
            forced,
            "empty asks for nothing"
        );
    }
    assert!(said(&[], &refused).starts_with("error: nowhere is not a run folder"));
}

#[test]
fn recipes_as_json() {
    let told: Value = serde_json::from_str(&succeed(&["recipes", "--json"])).unwrap();
    let names: Vec<&str> =
        told.as_array().unwrap().iter().filter_map(|recipe| recipe["name"].as_str()).collect();
    assert!(names.contains(&"s11") && names.contains(&"speedrun"), "{names:?}");
    let speedrun = &told[names.iter().position(|name| *name == "speedrun").unwrap()];
    assert!(speedrun["measured"][0]["test_accuracy"].as_f64().unwrap() > 0.9, "{speedrun}");
}

/// Whoever reads only the first line ends nothing with an error.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    use std::process::Stdio;
    let mut child = pipeline().arg("recipes").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
