//! Making, finding and opening run folders.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use wick_runs::{Figure, RunDir, RunsError, Timestamp, write_atomic};

fn time() -> Timestamp {
    "2026-03-04T05:06:07Z".parse().unwrap()
}

#[test]
fn names_follow_recipe_time_and_seed() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunDir::create(runs.path(), "s11", 7, time()).unwrap();
    assert_eq!(run.path(), runs.path().join("s11/20260304-050607-seed7"));
    assert!(run.checkpoints().is_dir() && run.figures().is_dir());
    let eastern: Timestamp = "2026-03-04T00:06:07-05:00".parse().unwrap();
    let other = RunDir::create(runs.path(), "s9-custom", 0, eastern).unwrap();
    assert_eq!(other.path(), runs.path().join("s9-custom/20260304-050607-seed0"), "UTC");
}

#[test]
fn runs_of_one_second_are_kept_apart() {
    let runs = tempfile::tempdir().unwrap();
    let names: Vec<_> = (0..3)
        .map(|_| RunDir::create(runs.path(), "s11", 0, time()).unwrap())
        .map(|run| run.path().file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["20260304-050607-seed0", "20260304-050607-seed0-2", "20260304-050607-seed0-3"]);
    fs::write(runs.path().join("s11").join(&names[2]).join("recipe.toml"), "").unwrap();
    let latest = RunDir::open(&runs.path().join("s11")).unwrap();
    assert!(latest.path().ends_with(&names[2]));
}

#[test]
fn opens_a_run_a_recipe_and_latest() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunDir::create(runs.path(), "s11", 0, time()).unwrap();
    write_atomic(&run.manifest(), b"{}").unwrap();
    for path in [run.path().to_owned(), runs.path().join("s11"), runs.path().join("s11/latest")] {
        assert_eq!(RunDir::open(&path).unwrap(), run, "{}", path.display());
    }
    // An open run stays itself when a newer one begins.
    let open = RunDir::open(&runs.path().join("s11/latest")).unwrap();
    RunDir::create(runs.path(), "s11", 1, time()).unwrap();
    assert_eq!(open.path(), run.path());
}

#[test]
fn a_recipes_folder_stands_for_all_its_runs() {
    let runs = tempfile::tempdir().unwrap();
    let make = |seed, second| {
        let run = RunDir::create(runs.path(), "s11", seed, Timestamp::from_second(second).unwrap()).unwrap();
        write_atomic(&run.recipe_toml(), b"").unwrap();
        run
    };
    let (newer, older) = (make(0, 2_000_000), make(1, 1_000_000));
    RunDir::create(runs.path(), "s11", 2, time()).unwrap(); // of which nothing was written: no run yet
    fs::create_dir(runs.path().join("s11/notes")).unwrap();
    let folder = runs.path().join("s11");
    assert_eq!(RunDir::open_all(&folder).unwrap(), [older.clone(), newer.clone()]);
    assert_eq!(RunDir::open_all(newer.path()).unwrap(), [newer]);
    older.make_latest().unwrap();
    assert_eq!(RunDir::open_all(&folder.join("latest")).unwrap(), [older]);
    for nothing in [folder.join("notes"), folder.join("none")] {
        let error = RunDir::open_all(&nothing).unwrap_err();
        assert!(matches!(error, RunsError::NotARun { .. }), "{error}");
    }
}

#[test]
fn the_runs_can_be_moved() {
    let scratch = tempfile::tempdir().unwrap();
    let run = RunDir::create(&scratch.path().join("runs"), "s11", 0, time()).unwrap();
    write_atomic(&run.recipe_toml(), b"").unwrap();
    fs::rename(scratch.path().join("runs"), scratch.path().join("moved")).unwrap();
    let opened = RunDir::open(&scratch.path().join("moved/s11")).unwrap();
    assert!(opened.recipe_toml().is_file());
}

#[test]
fn paths_are_those_of_the_design() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunDir::at(&runs.path().join("r")).unwrap();
    let cam = run.cam("gradcam").unwrap();
    let paths = [
        run.recipe_toml(),
        run.manifest(),
        run.summary(),
        run.data(),
        run.lr_finder_csv(),
        run.lr_finder_json(),
        run.epochs(),
        run.timing(),
        run.steps(),
        run.norms(),
        run.best(),
        run.last(),
        run.last_optim(),
        run.last_state(),
        run.predictions(),
        run.per_class(),
        run.confusion(),
        run.gallery(),
        cam.index(),
        cam.raw(),
        cam.grid(),
        run.tensorboard(),
        run.report(),
        run.claims(),
    ];
    let expected = "recipe.toml manifest.json summary.txt data.safetensors lr_finder.csv lr_finder.json epochs.csv \
        timing.csv steps.csv norms.csv checkpoints/best.safetensors checkpoints/last.safetensors \
        checkpoints/last.optim.safetensors checkpoints/last.state.json predictions.csv per_class.csv confusion.csv \
        gallery.safetensors cam/gradcam/index.csv cam/gradcam/raw.safetensors cam/gradcam/grid.png tb report.html claims.json";
    let relative = |path: &Path| path.strip_prefix(run.path()).unwrap().to_str().unwrap().to_owned();
    let paths: Vec<_> = paths.iter().map(|path| relative(path)).collect();
    assert_eq!(paths, expected.split_whitespace().collect::<Vec<_>>());
    let figures: Vec<_> = Figure::ALL.iter().map(|figure| relative(&run.figure(*figure))).collect();
    let expected = "figures/curves.png figures/lr_finder.png figures/lr_schedule.png figures/augmentations.png \
        figures/confusion.png figures/misclassified.png figures/unsure.png figures/filters.png figures/per_class.png \
        figures/reliability.png figures/norms.png";
    assert_eq!(figures, expected.split_whitespace().collect::<Vec<_>>());
    let charts: Vec<_> = Figure::CHARTS.iter().map(|figure| relative(&run.figure_svg(*figure))).collect();
    let expected = "figures/curves.svg figures/lr_finder.svg figures/lr_schedule.svg figures/per_class.svg \
        figures/reliability.svg figures/norms.svg";
    assert_eq!(charts, expected.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn lists_the_methods_that_ran() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunDir::at(runs.path()).unwrap();
    assert!(run.cams().unwrap().is_empty());
    for method in ["gradcam", "eigencam"] {
        write_atomic(&run.cam(method).unwrap().grid(), b"").unwrap();
    }
    assert_eq!(run.cams().unwrap(), ["eigencam", "gradcam"]);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let runs = tempfile::tempdir().unwrap();
    for name in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a\0b"] {
        let error = RunDir::create(runs.path(), name, 0, time()).unwrap_err();
        assert!(matches!(error, RunsError::Name { what: "recipe", .. }), "{name:?}: {error}");
        assert!(RunDir::at(runs.path()).unwrap().cam(name).is_err(), "{name:?}");
    }
    RunDir::create(runs.path(), "s11-tuned_v1.2+x", 0, time()).unwrap();
}

#[test]
fn what_is_no_run_is_an_error_that_says_so() {
    let runs = tempfile::tempdir().unwrap();
    let message = |path: &Path| RunDir::open(path).unwrap_err().to_string();
    assert!(message(&runs.path().join("none")).ends_with("found nothing there"));
    assert!(message(runs.path()).ends_with("found a folder without them"));
    let file = runs.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(message(&file).ends_with("found a file"));
    // `latest` outlives its run.
    let run = RunDir::create(runs.path(), "s11", 0, time()).unwrap();
    fs::remove_dir_all(run.path()).unwrap();
    let dangling = message(&runs.path().join("s11"));
    assert!(dangling.contains("seed0, where there is no run"), "{dangling}");
}

#[test]
fn a_runs_folder_that_cannot_be_written_is_an_error() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    fs::write(&file, "").unwrap();
    let error = RunDir::create(&file, "s11", 0, time()).unwrap_err();
    assert!(error.to_string().starts_with("cannot create the folder"), "{error}");
}
