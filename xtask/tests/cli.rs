//! The command as it is typed.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn xtask(arguments: &[&str]) -> Output {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    // No test is to leave this machine, nor to be led astray by its proxy.
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        xtask.env_remove(name);
    }
    xtask.env("WICK_PYTHON", "no python of this name");
    xtask.args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn bad_input_is_one_paragraph_and_exit_code_2() {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let (none, file, empty) = (path("none"), path("file"), path("empty"));
    std::fs::write(&file, "no archive").unwrap();
    std::fs::create_dir(&empty).unwrap();
    let into = path("data");
    let cases: &[(&[&str], &str)] = &[
        (&["dataset", "verify", "--dir", &none], "cargo xtask dataset fetch"),
        (&["dataset", "verify", "--dir", &file], "is no folder"),
        (&["dataset", "stats", "--data", &none], "does not exist"),
        (&["dataset", "stats", "--data", &empty], "holds no CIFAR data"),
        (&["dataset", "stats", "--data", &file], "is no .tar.gz archive"),
        (&["dataset", "fetch", "--dir", &into, "--from", &none], "cannot read"),
        (&["dataset", "fetch", "--dir", &into, "--from", &file], "--no-verify"),
        (&["dataset", "fetch", "--dir", &into, "--from", &file, "--no-verify"], "cannot unpack"),
        (&["dataset", "fetch", "--dir", &file, "--from", &file, "--no-verify"], "cannot make the folder"),
        (&["dataset", "fetch", "--dir", &into, "--url", "no address"], "--from FILE"),
        (&["dataset", "fetch", "--from", &file, "--url", "http://x/"], "cannot be used with"),
        (&["dataset", "burn"], "unrecognized subcommand"),
        (&["bench", "train-step", "--peer"], "WICK_PYTHON=~/torch/bin/python"),
        (&["bench", "train-step", "--rounds", "3"], "--peer"),
        (&["bench", "train-step", "--peer", "--profile"], "cannot be used with"),
    ];
    for (arguments, words) in cases {
        let output = xtask(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{said}");
        let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{said}");
    }
    let left = std::fs::read_dir(&into).map_or(0, Iterator::count);
    assert_eq!(left, 0, "nothing half-made is left");
}

#[test]
fn a_copy_is_fetched_verified_and_counted() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().to_str().unwrap();
    wick_cifar::write_folder(
        &wick_cifar::synthetic_dataset(3, 50, 20),
        &scratch.path().join("cifar-10-batches-bin"),
    )
    .unwrap();
    let verified = xtask(&["dataset", "verify", "--dir", dir]);
    assert!(text(&verified.stdout).contains("50 training and 20 test images"), "{}", text(&verified.stderr));
    let counted = xtask(&["dataset", "stats", "--data", dir]);
    assert!(text(&counted.stdout).lines().any(|line| line.split_whitespace().eq(["all", "50", "20"])));
    let fetched = xtask(&["dataset", "fetch", "--dir", dir]);
    assert!(text(&fetched.stderr).contains("is there already"), "{}", text(&fetched.stderr));
    assert!(fetched.status.success() && text(&fetched.stdout).contains("--data"));
}
