//! Runs beside each other.

use wick_report::{ReportError, comparison};

use crate::run::{Options, whole};

#[test]
fn two_runs_differ_by_points_and_keys() {
    let folder = tempfile::tempdir().unwrap();
    let first = whole(&folder.path().join("a"), &Options::default());
    let recipe = "name = \"other\"\nseed = 3\n[model]\narchitecture = \"resnet18\"\n[train]\nepochs = 2\nprecision = \"bf16\"\n";
    let second = whole(&folder.path().join("b"), &Options { recipe, accuracy: 0.7, ..Options::default() });
    let html = comparison(&[first.clone(), second.clone()]).unwrap();
    assert_eq!(html, comparison(&[first, second]).unwrap());
    assert!(html.contains("<title>mine, seed 3, other, seed 3: comparison</title>"));
    assert!(
        html.contains("<td>66.67\u{a0}%</td><td>70.00\u{a0}%<small class=\"up\">+3.33</small></td>"),
        "{html}"
    );
    // Keys that differ are told, those that do not are not.
    assert!(html.contains("<th scope=\"row\">train.precision</th><td>–</td><td>bf16</td>"));
    assert!(!html.contains("<th scope=\"row\">train.epochs</th>"));
    assert!(html.contains("<th scope=\"row\">accuracy: published 92.22 %</th>"));
    // Both runs' values under the pointer.
    assert!(
        html.contains("test accuracy, mine, seed 3 66.67\u{a0}%\ntest accuracy, other, seed 3 70.00\u{a0}%")
    );
}

#[test]
fn runs_of_one_name_are_told_apart_by_their_folders() {
    let folder = tempfile::tempdir().unwrap();
    let runs = ["a", "b"].map(|name| whole(&folder.path().join(name), &Options::default()));
    let html = comparison(&runs).unwrap();
    assert!(html.contains("mine, seed 3, a") && html.contains("mine, seed 3, b"));
    assert!(html.contains("In nothing."));
}

#[test]
fn one_run_alone_or_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(folder.path(), &Options::default());
    let alone = comparison(std::slice::from_ref(&run)).unwrap_err();
    assert!(matches!(alone, ReportError::TooFewRuns(1)));
    let twice = comparison(&[run.clone(), run]).unwrap_err();
    assert!(matches!(&twice, ReportError::SameRun(_)), "{twice}");
}
