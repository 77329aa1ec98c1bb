//! What is said of what is not there, and of what is damaged.

use std::fs;

use wick_report::{ReportError, page};
use wick_runs::RunDir;

use crate::run::{Options, whole};

#[test]
fn a_run_that_was_only_prepared_names_the_stages_to_come() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::at(folder.path()).unwrap();
    fs::write(run.recipe_toml(), "name = \"mine\"\n").unwrap();
    let html = page(&run).unwrap();
    assert_eq!(html.matches("<section id=").count(), 17);
    let said = |file: &str, stage: &str| {
        format!("This run has no <code>{file}</code> yet: the stage <code>{stage}</code> writes it")
    };
    for (file, stage) in [
        ("claims.json", "claims"),
        ("epochs.csv", "train"),
        ("per_class.csv", "evaluate"),
        ("gallery.safetensors", "misclassified"),
        ("lr_finder.csv", "find-lr"),
        ("augmentations.png", "preview"),
        ("manifest.json", "prepare"),
        ("summary.txt", "summary"),
    ] {
        assert!(html.contains(&said(file, stage)), "{file}");
    }
}

#[test]
fn what_is_damaged_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(folder.path(), &Options::default());
    let cam = run.cam("gradcam").unwrap();
    let refused = |path: &std::path::Path, bytes: &[u8]| {
        let before = fs::read(path).unwrap();
        fs::write(path, bytes).unwrap();
        let error = page(&run).unwrap_err();
        fs::write(path, before).unwrap();
        let said = error.to_string();
        assert!(said.contains(path.file_name().unwrap().to_str().unwrap()), "{said}");
        error
    };
    assert!(matches!(refused(&run.epochs(), b"epoch\n1\n"), ReportError::Runs(_)));
    assert!(matches!(refused(&run.recipe_toml(), b"name = "), ReportError::Recipe { .. }));
    let error = refused(&cam.raw(), b"no tensors");
    assert!(matches!(&error, ReportError::Unfit { stage: "gradcam", .. }), "{error}");
    let logits = b"index,true,predicted,cat,dog\n0,1,0,7.5,-2.0\n";
    assert!(matches!(refused(&run.predictions(), logits), ReportError::Predictions { .. }));
}
