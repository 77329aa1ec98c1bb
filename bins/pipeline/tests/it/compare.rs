//! Runs of two recipes and two seeds, compared.

use std::fs;
use std::path::{Path, PathBuf};

use wick_runs::{ComparedRun, Comparison, ComparisonDir, Judge, read_json, read_rows};

use crate::common::{prepare, refuse, run, succeed};

fn trained(root: &Path, name: &str, more: &[&str]) -> PathBuf {
    let named = format!("name={name}");
    let short = [&[named.as_str(), "train.epochs=1", "data.synthetic_train=32"][..], more].concat();
    let run = prepare(root, "runs", &short);
    succeed(&["train", "--run", run.to_str().unwrap()]);
    run
}

#[test]
fn two_recipes_and_two_seeds() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    for seed in ["seed=0", "seed=1"] {
        trained(root.path(), "slow", &[seed]);
        trained(root.path(), "fast", &[seed, "schedule.max_lr=0.05"]);
    }
    let out = at("out");
    let (slow, fast) = (at("runs/slow"), at("runs/fast"));
    let told = succeed(&["compare", &slow, &fast, "--out", &out, "--json"]);

    let dir = ComparisonDir::names_below(Path::new(&out));
    let comparison: Comparison = read_json(&dir.json()).unwrap();
    assert_eq!(serde_json::from_str::<Comparison>(&told).unwrap(), comparison);
    assert_eq!((comparison.judge, comparison.images), (Judge::Test, 24));
    let names: Vec<_> = comparison.recipes.iter().map(|r| (r.name.as_str(), r.runs.len())).collect();
    assert_eq!(names, [("slow", 2), ("fast", 2)]);
    let [d] = &comparison.differences[..] else { panic!("{:?}", comparison.differences) };
    assert_eq!((d.recipe.as_str(), d.less.as_str(), &d.seeds[..]), ("fast", "slow", &[0, 1][..]));
    let rows: Vec<ComparedRun> = read_rows(&dir.csv()).unwrap();
    assert_eq!(rows.iter().map(|r| r.seed).collect::<Vec<_>>(), [0, 1, 0, 1]);
    for row in &rows {
        let epochs: Vec<wick_runs::EpochRow> =
            read_rows(&wick_runs::RunDir::open(&row.run).unwrap().epochs()).unwrap();
        assert_eq!((row.epochs, row.last_accuracy), (1, epochs[0].test_accuracy));
    }
    let mean = |from: usize| (rows[from].last_accuracy + rows[from + 1].last_accuracy) / 2.0;
    assert!((d.mean.unwrap() - (mean(2) - mean(0))).abs() < 1e-12);
    assert!(fs::read(dir.figure()).unwrap().starts_with(b"\x89PNG"));

    let text = succeed(&["compare", &slow, &fast, "--out", &out]);
    assert!(text.contains("24 test images of synthetic") && text.contains("fast less slow: "), "{text}");

    what_cannot_be_compared(root.path(), &slow, &out);
}

fn what_cannot_be_compared(root: &Path, slow: &str, out: &str) {
    let refused = root.join("refused");
    let refused = refused.to_str().unwrap();
    // The same folder, by another way, is the same runs; a copy of one of them is not.
    let around = root.join("runs/fast/../slow");
    let twice = succeed(&["compare", slow, around.to_str().unwrap(), slow, "--out", out]);
    assert!(twice.contains("slow") && !twice.contains(" less "), "{twice}");
    let dir = ComparisonDir::names_below(Path::new(out));
    assert_eq!(read_rows::<ComparedRun>(&dir.csv()).unwrap().len(), 2);
    let copy = root.join("copy");
    let original = wick_runs::RunDir::open(Path::new(slow)).unwrap();
    fs::create_dir(&copy).unwrap();
    for file in [original.recipe_toml(), original.manifest(), original.epochs(), original.timing()] {
        fs::copy(&file, copy.join(file.file_name().unwrap())).unwrap();
    }
    let twice = refuse(&["compare", slow, copy.to_str().unwrap(), "--out", refused]);
    assert!(twice.contains("the same recipe with the same seed"), "{twice}");

    let untrained = prepare(root, "others", &[]);
    let said = refuse(&["compare", slow, untrained.to_str().unwrap(), "--out", refused]);
    assert!(said.contains("`train`"), "{said}");
    let other = trained(root, "other", &["data.synthetic_test=30"]);
    let said = refuse(&["compare", slow, other.to_str().unwrap(), "--out", refused]);
    assert!(said.contains("other data"), "{said}");
    let held = trained(root, "held", &["data.synthetic_train=40", "data.holdout=8"]);
    let held = held.to_str().unwrap();
    // The same images in all, so that only what judges differs.
    let whole = trained(root, "whole", &["data.synthetic_train=40"]);
    let said = refuse(&["compare", whole.to_str().unwrap(), held, "--out", refused]);
    assert!(said.contains("8 held-out images") && said.contains("the test split"), "{said}");
    assert!(!fs::exists(refused).unwrap(), "nothing should have been made");

    let text = succeed(&["compare", held, "--out", out]);
    assert!(text.contains("held-out accuracy") && !text.contains("test accuracy"), "{text}");
    let limited = trained(root, "limited", &["data.synthetic_train=40", "data.limit=32"]);
    let limited = run(&["compare", whole.to_str().unwrap(), limited.to_str().unwrap(), "--out", out]);
    let text = String::from_utf8(limited.stdout).unwrap();
    assert!(text.contains("WARNING: the runs differ in their number of training images (32, 40)"), "{text}");
    assert!(text.contains("no interval is possible (n = 1)"), "{text}");
}
