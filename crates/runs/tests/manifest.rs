//! The manifest, its stages, and the range test's report.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wick_runs::{
    Input, LrFinderLoss, LrFinderReport, LrFinderSettings, Manifest, RunDir, RunsError, StageState, Status,
    Suggestion, read_json, write_atomic, write_json,
};

fn run() -> (TempDir, RunDir) {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::at(&folder.path().join("run")).unwrap();
    Manifest::begin(vec!["pipeline".into(), "prepare".into()], "cpu").write(&run).unwrap();
    (folder, run)
}

#[test]
fn reads_back_and_ends() {
    let (_folder, run) = run();
    let begun = Manifest::read(&run).unwrap();
    assert_eq!((begun.status.clone(), begun.ended), (Status::Running, None));
    let message = "loss is NaN".to_owned();
    let ended = Manifest::update(&run, |m| m.set_status(Status::Failed { message })).unwrap();
    assert_eq!(Manifest::read(&run).unwrap(), ended);
    assert!(ended.ended.unwrap() >= ended.started);
    let json: serde_json::Value = read_json(&run.manifest()).unwrap();
    assert_eq!(json["status"], serde_json::json!({"state": "failed", "message": "loss is NaN"}));
    assert!(json["started"].as_str().unwrap().ends_with('Z'), "RFC 3339 in UTC");
    let resumed = Manifest::update(&run, |m| m.set_status(Status::Running)).unwrap();
    assert_eq!(resumed.ended, None);
}

#[test]
fn updates_at_once_are_not_lost() {
    let (_folder, run) = run();
    std::thread::scope(|scope| {
        for i in 0..8 {
            let run = &run;
            scope.spawn(move || {
                Manifest::update(run, |m| drop(m.versions.insert(i.to_string(), "1".into()))).unwrap()
            });
        }
    });
    assert_eq!(Manifest::read(&run).unwrap().versions.len(), 8);
}

struct Stage {
    folder: TempDir,
    run: RunDir,
    inputs: Vec<Input>,
    outputs: Vec<PathBuf>,
}

impl Stage {
    fn recorded() -> Self {
        let (folder, run) = run();
        let outside = folder.path().join("data");
        write_atomic(&outside.join("a.bin"), b"images").unwrap();
        write_atomic(&run.recipe_toml(), b"epochs = 3").unwrap();
        write_atomic(&run.epochs(), b"rows").unwrap();
        write_atomic(&run.last(), b"weights").unwrap();
        let inputs =
            vec![Input::path(run.recipe_toml()), Input::path(outside), Input::value("options", "--quick")];
        let outputs = vec![run.epochs(), run.last()];
        Manifest::record_stage(&run, "train", &inputs, &outputs, 1.5).unwrap();
        Self { folder, run, inputs, outputs }
    }

    fn state(&self) -> StageState {
        Manifest::read(&self.run).unwrap().stage_state(&self.run, "train", &self.inputs).unwrap()
    }
}

#[test]
fn a_stage_is_recorded_by_path_and_hash() {
    let stage = Stage::recorded();
    let manifest = Manifest::read(&stage.run).unwrap();
    let record = &manifest.stages["train"];
    let data = fs::canonicalize(stage.folder.path().join("data")).unwrap();
    let keys = |map: &BTreeMap<String, String>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&record.inputs), [data.to_str().unwrap(), "recipe.toml"]);
    assert_eq!(keys(&record.outputs), ["checkpoints/last.safetensors", "epochs.csv"]);
    assert_eq!(keys(&record.values), ["options"]);
    assert_eq!(record.seconds, 1.5);
    let rows = wick_runs::sha256_bytes(b"rows");
    assert_eq!(record.outputs["epochs.csv"], rows);
    assert_eq!(record.output(&stage.run, &stage.run.epochs()), Some(rows.as_str()));
    assert_eq!(record.input(&stage.run, &stage.run.epochs()), None, "it was written, not read");
    assert!(record.input(&stage.run, &stage.folder.path().join("data")).is_some());
}

#[test]
fn a_stage_is_current_until_something_changes() {
    let stage = Stage::recorded();
    assert_eq!(stage.state(), StageState::Current);
    let manifest = Manifest::read(&stage.run).unwrap();
    assert!(manifest.is_current(&stage.run, "train", &stage.inputs).unwrap());
    assert!(
        manifest.is_current(&stage.run, "train", &stage.inputs[2..]).unwrap(),
        "recorded paths go without saying"
    );
    assert_eq!(manifest.stage_state(&stage.run, "plot", &[]).unwrap(), StageState::NeverRan);

    write_atomic(&stage.outputs[0], b"other rows").unwrap();
    assert_eq!(stage.state(), StageState::OutputChanged("epochs.csv".into()));
    fs::remove_file(&stage.outputs[0]).unwrap();
    assert_eq!(stage.state(), StageState::OutputChanged("epochs.csv".into()));
    write_atomic(&stage.outputs[0], b"rows").unwrap();
    assert_eq!(stage.state(), StageState::Current, "the same contents again");

    write_atomic(&stage.run.recipe_toml(), b"epochs = 4").unwrap();
    assert_eq!(stage.state(), StageState::InputChanged("recipe.toml".into()));
    write_atomic(&stage.run.recipe_toml(), b"epochs = 3").unwrap();

    fs::write(stage.folder.path().join("data/b.bin"), b"more").unwrap();
    assert!(matches!(stage.state(), StageState::InputChanged(path) if path.ends_with("data")));
}

#[test]
fn other_values_or_new_inputs_make_it_stale() {
    let mut stage = Stage::recorded();
    stage.inputs[2] = Input::value("options", "");
    assert_eq!(stage.state(), StageState::InputChanged("options".into()));
    stage.inputs.pop();
    assert_eq!(
        stage.state(),
        StageState::InputChanged("options".into()),
        "a value that can no longer be checked"
    );
    stage.inputs.extend([Input::value("options", "--quick"), Input::value("seed", "1")]);
    assert_eq!(stage.state(), StageState::InputChanged("seed".into()));
    stage.inputs.pop();
    stage.inputs.push(Input::path(stage.run.data()));
    assert_eq!(stage.state(), StageState::InputChanged("data.safetensors".into()));
}

#[test]
fn the_folder_can_be_moved() {
    let stage = Stage::recorded();
    let moved = stage.folder.path().join("elsewhere");
    fs::rename(stage.run.path(), &moved).unwrap();
    let run = RunDir::open(&moved).unwrap();
    assert!(Manifest::read(&run).unwrap().is_current(&run, "train", &stage.inputs[2..]).unwrap());
}

#[test]
fn what_a_stage_has_read_is_known_by_its_contents() {
    let stage = Stage::recorded();
    let manifest = Manifest::read(&stage.run).unwrap();
    let has_read = |path: &Path| manifest.stages["train"].has_read(path);
    let recipe = stage.run.recipe_toml();
    assert!(has_read(&recipe).unwrap());
    let copy = stage.folder.path().join("copy.toml");
    fs::copy(&recipe, &copy).unwrap();
    assert!(has_read(&copy).unwrap(), "the same contents elsewhere");
    fs::write(&recipe, "epochs = 4").unwrap();
    assert!(!has_read(&recipe).unwrap(), "other contents in the same place");
    assert!(has_read(&stage.run.report()).unwrap_err().is_missing());
}

#[test]
fn an_output_that_is_not_there_is_not_recorded() {
    let (_folder, run) = run();
    let error = Manifest::record_stage(&run, "plot", &[], &[run.report()], 0.1).unwrap_err();
    assert!(error.is_missing(), "{error}");
    assert!(Manifest::read(&run).unwrap().stages.is_empty());
}

#[test]
fn a_manifest_that_is_none_is_an_error_with_a_place() {
    let (_folder, run) = run();
    fs::write(run.manifest(), "{\n  \"command\": 3\n}").unwrap();
    let error = Manifest::read(&run).unwrap_err();
    assert!(matches!(error, RunsError::Json { line: 2, expected: "Manifest", .. }), "{error}");
    fs::remove_file(run.manifest()).unwrap();
    assert!(Manifest::read(&run).unwrap_err().is_missing());
}

#[test]
fn the_range_tests_report_reads_back() {
    let (_folder, run) = run();
    let report = LrFinderReport {
        suggestions: BTreeMap::from([(
            "steepest".into(),
            Suggestion { index: 67, lr: 5.0941380148163806e-3 },
        )]),
        settings: LrFinderSettings {
            start_lr: 1e-5,
            end_lr: 0.1,
            steps: 100,
            mode: "exponential".into(),
            smoothing: 0.05,
            diverge: 5.0,
            skip_start: 10,
            skip_end: 5,
            batch_size: 32,
            loss: LrFinderLoss::Test(10_000),
        },
        stopped_early: false,
    };
    write_json(&run.lr_finder_json(), &report).unwrap();
    assert_eq!(read_json::<LrFinderReport>(&run.lr_finder_json()).unwrap(), report);
    let text = fs::read_to_string(run.lr_finder_json()).unwrap();
    assert!(text.contains("0.0050941380148163806"));
    assert_eq!(report.settings.loss.name(), "test loss of 10,000 images");

    // What was written before a range test could have any other loss.
    let mut older: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(older["settings"].as_object_mut().unwrap().remove("loss").unwrap()["test"], 10_000);
    fs::write(run.lr_finder_json(), older.to_string()).unwrap();
    let older: LrFinderReport = read_json(&run.lr_finder_json()).unwrap();
    assert_eq!(
        (older.settings.loss, older.settings.loss.name().as_str()),
        (LrFinderLoss::Train, "training loss")
    );
}
