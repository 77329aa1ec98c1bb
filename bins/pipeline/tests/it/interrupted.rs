//! Ctrl-C: what is on disk is whole, and the last line says how to go on.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use wick_runs::{Manifest, RunDir, Status};

use crate::common::{pipeline, prepare, succeed};

fn start(args: &[&str]) -> Child {
    pipeline().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

fn wait_until(child: &mut Child, what: &str, holds: impl Fn() -> bool) {
    let patience = Instant::now();
    while !holds() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before {what}");
        assert!(patience.elapsed() < Duration::from_secs(300), "never {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn status(run: &Path) -> Status {
    Manifest::read(&RunDir::open(run).unwrap()).unwrap().status
}

fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn training_saves_and_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let run = prepare(root.path(), "my runs", &["train.epochs=500"]);
    let at = run.to_str().unwrap();
    let mut child = start(&["train", "--run", at]);
    wait_until(&mut child, "an epoch was done", || run.join("epochs.csv").exists());
    interrupt(&child);
    let said = said(&child.wait_with_output().unwrap());
    let last = said.lines().last().unwrap();
    assert!(said.contains("finishing the step, then saving"), "{said}");
    assert!(
        last.starts_with("stopped in epoch ") && last.ends_with(&format!("train --run '{at}' --resume")),
        "{last}"
    );
    assert!(run.join("checkpoints/last.state.json").exists());
    assert_eq!(status(&run), Status::Interrupted);

    // The second Ctrl-C does not wait for the step.
    let mut child = start(&["train", "--run", at, "--resume"]);
    let rows = || fs::read_to_string(run.join("epochs.csv")).unwrap().lines().count();
    let before = rows();
    wait_until(&mut child, "another epoch was done", || rows() > before);
    interrupt(&child);
    interrupt(&child);
    let said = self::said(&child.wait_with_output().unwrap());
    assert!(said.lines().last().unwrap().ends_with("--resume"), "{said}");
    assert_eq!(status(&run), Status::Interrupted);
}

#[test]
fn a_stage_that_cannot_go_on_leaves_nothing_half_written() {
    let root = tempfile::tempdir().unwrap();
    let run = prepare(root.path(), "runs", &["lr_finder.steps=100000"]);
    let at = run.to_str().unwrap();
    let mut child = start(&["find-lr", "--run", at]);
    wait_until(&mut child, "it was at work", || status(&run) == Status::Running);
    std::thread::sleep(Duration::from_millis(200));
    interrupt(&child);
    let said = said(&child.wait_with_output().unwrap());
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("find-lr: interrupted before it was done; run it again with: "), "{said}");
    assert!(said.trim_end().ends_with(&format!("find-lr --run {at}")), "{said}");
    assert_eq!(status(&run), Status::Interrupted);
    let left: Vec<String> =
        fs::read_dir(&run).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.contains("lr_finder") && !name.contains("tmp")), "{left:?}");
    // It is a run like any other.
    succeed(&["summary", "--run", at]);
}
