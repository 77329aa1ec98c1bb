//! Runs that go wrong, as a user sees it.

use wick_runs::{Manifest, RunDir, Status};

use crate::common::{prepare, refuse, run};

const CONSTANT: &str = "schedule={ kind = \"constant\" }";

#[test]
fn a_loss_that_leaps_is_told_on_standard_error_with_the_likely_cause() {
    let root = tempfile::tempdir().unwrap();
    let at = prepare(root.path(), "runs", &[CONSTANT, "optim.lr=10.0"]);
    let output = run(&["train", "--quiet", "--run", at.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words.matches("WARNING: the loss rose to ").count(), 1, "{said}");
    for part in [
        "where guessing has ln 10 = 2.303: the learning rate is most likely too high.",
        "There is no warm-up to 10: lower it, or begin with less, or clip the gradients by norm",
    ] {
        assert!(words.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_run_that_diverges_fails_and_says_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    let at = prepare(root.path(), "runs", &[CONSTANT, "optim.lr=1e30", "train.checkpoint_minutes=1e-9"]);
    let path = at.to_str().unwrap();
    // Going on from the checkpoint of step 1 comes to the same.
    for args in [&["train", "--run", path][..], &["train", "--run", path, "--resume"]] {
        let said = refuse(args).split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "at step 2 (epoch 1), with learning rate 1.000e30: the run has diverged",
            "a new run with a lower",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let status = Manifest::read(&RunDir::open(&at).unwrap()).unwrap().status;
        assert!(matches!(&status, Status::Failed { message } if message.contains("diverged")), "{status:?}");
        assert!(at.join("checkpoints/last.state.json").exists() && !at.join("epochs.csv").exists());
    }
}
