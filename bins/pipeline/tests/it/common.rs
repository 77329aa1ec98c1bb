//! Running the binary as a user does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The binary, on the CPU unless it is told otherwise: what these tests compare is the CPU's bits.
pub fn pipeline() -> Command {
    let mut pipeline = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    pipeline.env("WICK_DEVICE", "cpu");
    pipeline
}

/// Runs it and returns what it said.
pub fn run(args: &[&str]) -> Output {
    pipeline().args(args).output().unwrap()
}

/// Runs it, expecting success, and returns its standard output.
pub fn succeed(args: &[&str]) -> String {
    let output = run(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pipeline {} failed: {stderr}", args.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs it, expecting a refusal: exit code 2, one paragraph on standard error, no panic.
pub fn refuse(args: &[&str]) -> String {
    let output = run(args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "pipeline {}: {stderr}", args.join(" "));
    assert!(!stderr.contains("panicked"), "{stderr}");
    let errors = stderr.lines().filter(|l| l.starts_with("error: ")).count();
    assert_eq!(errors, 1, "one paragraph: {stderr}");
    stderr
}

/// A run of the quick recipe cut down to seconds, prepared.
pub fn prepare(root: &Path, name: &str, more: &[&str]) -> PathBuf {
    let runs = root.join(name);
    let mut args = vec!["prepare", "--json", "--recipe", "s11", "--quick", "--epochs", "2"];
    let sets = ["data.synthetic_train=72", "data.synthetic_test=24", "lr_finder.steps=20"];
    for set in sets.iter().chain(more) {
        args.extend(["--set", set]);
    }
    args.extend(["--runs", runs.to_str().unwrap()]);
    let told: serde_json::Value = serde_json::from_str(&succeed(&args)).unwrap();
    PathBuf::from(told["run"].as_str().unwrap())
}
