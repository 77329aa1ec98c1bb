//! Runs beside each other.

use wick_report::{ReportError, comparison};
use wick_runs::Predictions;

use crate::run::{Options, section, whole};

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
    // Both runs' values under the pointer of each chart.
    for told in [
        "test accuracy, mine, seed 3 66.67\u{a0}%\ntest accuracy, other, seed 3 70.00\u{a0}%</title>",
        "<title>epoch 1\ntrain accuracy, mine, seed 3 ",
        "<title>epoch 1\ntrain loss, mine, seed 3 ",
        "<title>epoch 1\nlearning rate, mine, seed 3 ",
    ] {
        assert!(html.contains(told), "{told}");
    }
    let curves = section(&html, "curves");
    // All of them in the legends and in the table.
    for column in 1..=10 {
        assert_eq!(curves.matches(&format!("<b data-c=\"{column}\">")).count(), 1, "{column}");
    }
    for quantity in ["test accuracy", "train accuracy", "test loss", "train loss", "learning rate"] {
        for run in ["mine, seed 3", "other, seed 3"] {
            assert!(curves.contains(&format!("<th scope=\"col\">{quantity}, {run}</th>")), "{quantity}");
        }
    }
    let row = curves.split("<tr><th scope=\"row\">1</th>").nth(1).unwrap().split("</tr>").next().unwrap();
    assert_eq!(row.matches("<td>").count(), 10);
    assert!(!row.contains('–'), "{row}");
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
fn a_hold_out_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = |name: &str, holdout: u64| format!("name = \"{name}\"\n[data]\nholdout = {holdout}\n");
    let run = |name: &str, holdout| {
        let recipe: &'static str = recipe(name, holdout).leak();
        whole(&folder.path().join(name), &Options { recipe, ..Options::default() })
    };
    let held_out = [run("a", 5000), run("b", 5000)];
    let html = comparison(&held_out).unwrap();
    assert!(section(&html, "results").contains("<th scope=\"row\">hold-out accuracy, last epoch</th>"));
    assert!(section(&html, "curves").contains("<figcaption>Hold-out loss"));
    for id in ["results", "curves", "misclassified"] {
        assert!(!section(&html, id).to_lowercase().contains("test "), "{id}");
    }
    let [first, _] = held_out;
    let html = comparison(&[first, run("c", 0)]).unwrap();
    assert!(section(&html, "results").contains("test or hold-out accuracy, last epoch"));
    assert!(html.contains("Careful: these runs were not all judged by the same images."));
    // What one says of an image of another split tells nothing.
    assert!(!section(&html, "misclassified").contains("class=\"answers\""));
}

#[test]
fn mistakes_are_shown_beside_what_the_other_run_says() {
    let folder = tempfile::tempdir().unwrap();
    let runs = ["a", "b"].map(|name| whole(&folder.path().join(name), &Options::default()));
    // The second gets image 2 right and image 4 wrong.
    let path = runs[1].predictions();
    let mut predictions = Predictions::read(&path).unwrap();
    for (index, predicted) in [(2, 1), (4, 1)] {
        let row = &mut predictions.rows[index];
        row.predicted = predicted;
        row.probabilities = vec![0.125; 3];
        row.probabilities[predicted] = 0.75;
    }
    predictions.write(&path).unwrap();
    let html = comparison(&runs).unwrap();
    let wrong = section(&html, "misclassified");
    for (row, cells) in [
        ("images that it gets wrong", "<td>2</td><td>2</td>"),
        ("wrong, where mine, seed 3, a is right", "<td>–</td><td>1</td>"),
        ("right, where mine, seed 3, a is wrong", "<td>–</td><td>1</td>"),
    ] {
        assert!(wrong.contains(&format!("<th scope=\"row\">{row}</th>{cells}")), "{row}: {wrong}");
    }
    // Image 2 comes first: the second gets it right. Image 4 has no picture.
    let cards: Vec<&str> = wrong.split("<li class=\"card\"").skip(1).collect();
    let starts = [" id=\"run1-2\"", " id=\"run1-5\"", " id=\"run2-5\""];
    assert!(cards.iter().zip(starts).all(|(card, start)| card.starts_with(start)), "{wrong}");
    assert_eq!(cards.len(), 3);
    assert!(cards[0].contains("data-others=\"right\"") && cards[1].contains("data-others=\"wrong\""));
    let said = "✓</span> dog <span class=\"confidence\">75.0\u{a0}%</span> <span class=\"run\">mine, seed 3, b</span>";
    assert!(cards[0].contains(said), "{}", cards[0]);
    assert_eq!(cards[0].matches("<img ").count(), 2, "the image and its first map");
    assert!(wrong.contains("<option value=\"right\">one gets it right</option>"));
    // A run without pictures says which stage makes them.
    std::fs::remove_file(runs[1].gallery()).unwrap();
    let html = comparison(&runs).unwrap();
    assert!(section(&html, "misclassified").contains("the stage <code>misclassified</code> writes it"));
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
