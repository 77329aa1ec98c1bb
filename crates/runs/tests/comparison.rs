//! What is left of a comparison.
#![allow(clippy::unwrap_used)]

use wick_runs::{
    ComparedRecipe, ComparedRun, Comparison, ComparisonDir, Difference, Judge, read_json, read_rows,
    write_json, write_rows,
};

fn run(recipe: &str, seed: u64, judge: Judge) -> ComparedRun {
    ComparedRun {
        recipe: recipe.to_owned(),
        seed,
        judge,
        epochs: 20,
        last_accuracy: 1.0 / 3.0,
        best_accuracy: 0.1 + 0.2, // no short decimal
        best_epoch: 19,
        train_seconds: 1.5e3,
        run: format!("runs/{recipe}/{seed}").into(),
    }
}

fn recipe(name: &str, runs: Vec<ComparedRun>) -> ComparedRecipe {
    ComparedRecipe {
        name: name.to_owned(),
        mean_accuracy: 2.0 / 3.0,
        standard_deviation: (runs.len() > 1).then_some(1.0 / 7.0),
        mean_best_accuracy: 0.75,
        mean_train_seconds: 0.1,
        runs,
    }
}

#[test]
fn every_record_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let dir = ComparisonDir::names_below(&folder.path().join("made/for/it"));
    let awkward = "s11 (a = \"b\", c = 1)"; // a comma and quotes in a table
    let a = recipe(awkward, vec![run(awkward, 0, Judge::Holdout), run(awkward, u64::MAX, Judge::Holdout)]);
    let b = recipe("b", vec![run("b", 0, Judge::Test)]);
    let difference = |mean, interval| Difference {
        recipe: "b".to_owned(),
        less: awkward.to_owned(),
        seeds: vec![0],
        mean,
        interval,
        verdict: "+1.00 ± 0.50 points".to_owned(),
    };
    let comparison = Comparison {
        dataset: "cifar10".to_owned(),
        judge: Judge::Holdout,
        images: 5000,
        warnings: vec!["unlike".to_owned()],
        differences: vec![difference(None, None), difference(Some(1.0 / 3.0), Some([-0.1, 0.7]))],
        recipes: vec![a, b],
    };
    write_json(&dir.json(), &comparison).unwrap();
    assert_eq!(read_json::<Comparison>(&dir.json()).unwrap(), comparison);

    let rows: Vec<ComparedRun> = comparison.recipes.iter().flat_map(|recipe| recipe.runs.clone()).collect();
    write_rows(&dir.csv(), &rows).unwrap();
    assert_eq!(read_rows::<ComparedRun>(&dir.csv()).unwrap(), rows);
    let text = std::fs::read_to_string(dir.csv()).unwrap();
    assert!(text.starts_with(
        "recipe,seed,judge,epochs,last_accuracy,best_accuracy,best_epoch,train_seconds,run\n\"s11 (a = \"\"b\"\", c = 1)\",0,holdout,20,"
    ), "{text}");
}
