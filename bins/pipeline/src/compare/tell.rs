//! What a comparison says: the table, and one sentence a difference.

use anyhow::Result;
use wick_metrics::PairedComparison;
use wick_runs::{ComparedRecipe, Comparison, Difference, Judge};

use crate::terminal::{Column, Table, Tone, count, paint, result_room};

/// The level of the intervals.
const LEVEL: f64 = 0.95;
/// Differences whose deviation is below this are equal but for the rounding of the subtraction: accuracies are at least 1e-6 apart.
const NO_SPREAD: f64 = 1e-12;

/// What the images that judge are called.
fn images(judge: Judge) -> &'static str {
    match judge {
        Judge::Test => "test images",
        Judge::Holdout => "held-out training images",
    }
}

/// The images that judged: `10,000 test images of cifar10`.
pub fn judged_by(comparison: &Comparison) -> String {
    format!("{} {} of {}", count(comparison.images), images(comparison.judge), comparison.dataset)
}

/// `recipe` less `base`, over the seeds that both have: Student's paired interval, and what it allows to be said.
pub fn difference(recipe: &ComparedRecipe, base: &ComparedRecipe) -> Result<Difference> {
    let pairs: Vec<(u64, f64, f64)> = recipe
        .runs
        .iter()
        .filter_map(|a| {
            let b = base.runs.iter().find(|b| b.seed == a.seed)?;
            Some((a.seed, a.last_accuracy, b.last_accuracy))
        })
        .collect();
    let seeds: Vec<u64> = pairs.iter().map(|pair| pair.0).collect();
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().map(|pair| (pair.1, pair.2)).unzip();
    let (mean, interval, verdict) = match pairs.len() {
        0 => (None, None, "no seed in common, so no pairs to compare".to_owned()),
        1 => {
            let mean = a[0] - b[0];
            let said = format!("{} points with one seed; no interval is possible (n = 1)", points(mean));
            (Some(mean), None, said)
        }
        n => {
            let paired = PairedComparison::new(&a, &b, LEVEL)?;
            let mean = paired.mean_difference;
            if paired.standard_deviation < NO_SPREAD {
                let said = format!(
                    "{} points with each seed; without spread no interval is possible (n = {n})",
                    points(mean)
                );
                (Some(mean), None, said)
            } else {
                let interval = paired.interval;
                let reach = 100.0 * (interval.upper - mean);
                let figures = format!("{} ± {reach:.2} points (95 %, n = {n})", points(mean));
                let said = match (interval.contains(0.0), mean > 0.0) {
                    (true, _) => format!("no difference can be seen: {figures}"),
                    (false, true) => format!("more accurate: {figures}"),
                    (false, false) => format!("less accurate: {figures}"),
                };
                (Some(mean), Some([interval.lower, interval.upper]), said)
            }
        }
    };
    Ok(Difference { recipe: recipe.name.clone(), less: base.name.clone(), seeds, mean, interval, verdict })
}

/// A fraction in points, with a sign that is as wide as plus.
fn points(fraction: f64) -> String {
    format!("{:+.2}", 100.0 * fraction).replace('-', "−")
}

/// What is read on the screen.
pub fn text(comparison: &Comparison) -> String {
    let split = match comparison.judge {
        Judge::Test => "test",
        Judge::Holdout => "held-out",
    };
    let mut table = Table::new([
        Column::left("recipe"),
        Column::right("n"),
        Column::right(&format!("{split} accuracy %, last epoch")),
        Column::right("best epoch's, chosen by it"),
        Column::right("training s"),
    ]);
    for r in &comparison.recipes {
        let spread = r.standard_deviation.map_or_else(String::new, |s| format!(" ± {:.2}", 100.0 * s));
        table.row([
            r.name.clone(),
            r.runs.len().to_string(),
            format!("{:.2}{spread}", 100.0 * r.mean_accuracy),
            format!("{:.2}", 100.0 * r.mean_best_accuracy),
            format!("{:.0}", r.mean_train_seconds),
        ]);
    }
    let of = judged_by(comparison);
    let mut text = format!("{of}\n\n{}\n", table.text(result_room()));
    text += "means over n seeds; ±: standard deviation; training: seconds of a run's steps\n";
    for d in &comparison.differences {
        text += &format!("{} less {}: {}\n", d.recipe, d.less, d.verdict);
    }
    if comparison.differences.len() > 1 {
        text += "each interval is for its own comparison; among many, one in twenty misses\n";
    }
    for warning in &comparison.warnings {
        text += &format!("{} {warning}\n", paint("WARNING:", Tone::Warning));
    }
    text
}

#[cfg(test)]
mod tests {
    use wick_runs::ComparedRun;

    use super::*;

    fn recipe(name: &str, runs: &[(u64, f64)]) -> ComparedRecipe {
        let run = |&(seed, last_accuracy): &(u64, f64)| ComparedRun {
            recipe: name.to_owned(),
            seed,
            judge: Judge::Test,
            epochs: 2,
            last_accuracy,
            best_accuracy: last_accuracy,
            best_epoch: 2,
            train_seconds: 60.0,
            run: name.into(),
        };
        let accuracies: Vec<f64> = runs.iter().map(|run| run.1).collect();
        let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
        ComparedRecipe {
            name: name.to_owned(),
            mean_accuracy: mean,
            standard_deviation: wick_metrics::standard_deviation(&accuracies).ok(),
            mean_best_accuracy: mean,
            mean_train_seconds: 60.0,
            runs: runs.iter().map(run).collect(),
        }
    }

    fn said(a: &[(u64, f64)], b: &[(u64, f64)]) -> String {
        difference(&recipe("a", a), &recipe("b", b)).unwrap().verdict
    }

    /// The README's comparison of bf16 in tiles with f32: +0.34 points, −0.41 to +1.09, from xtask/results/bf16-tiles.
    #[test]
    fn the_interval_is_students() {
        let bf16 = recipe("bf16", &[(0, 0.6186), (1, 0.6330), (2, 0.6208)]);
        let f32 = recipe("f32", &[(0, 0.6152), (1, 0.6266), (2, 0.6204)]);
        let d = difference(&bf16, &f32).unwrap();
        let [lower, upper] = d.interval.unwrap();
        assert!((lower + 0.0041).abs() < 5e-5 && (upper - 0.0109).abs() < 5e-5, "{lower} {upper}");
        assert_eq!(d.verdict, "no difference can be seen: +0.34 ± 0.75 points (95 %, n = 3)");
        assert_eq!(d.seeds, [0, 1, 2]);
    }

    #[test]
    fn the_sentence_says_no_more_than_the_data() {
        let (low, high) = ([(0, 0.50), (1, 0.51), (2, 0.52)], [(0, 0.60), (1, 0.612), (2, 0.619)]);
        assert!(said(&high, &low).starts_with("more accurate: +10.03 ± "), "{}", said(&high, &low));
        assert!(said(&low, &high).starts_with("less accurate: −10.03 ± "), "{}", said(&low, &high));
        assert_eq!(said(&high[..1], &low), "+10.00 points with one seed; no interval is possible (n = 1)");
        assert_eq!(said(&[(8, 0.5), (9, 0.5)], &low), "no seed in common, so no pairs to compare");
        // Only seeds that both have are pairs.
        assert!(said(&[(9, 0.1), (2, 0.6), (0, 0.7)], &low).ends_with("n = 2)"));
        let equal = said(&low, &low);
        assert_eq!(equal, "+0.00 points with each seed; without spread no interval is possible (n = 3)");
    }

    #[test]
    fn the_table_names_the_split_and_the_choice() {
        let recipes = vec![recipe("a", &[(0, 0.5), (1, 0.6)]), recipe("b", &[(3, 0.5)])];
        let mut comparison = Comparison {
            dataset: "cifar10".to_owned(),
            judge: Judge::Holdout,
            images: 5000,
            warnings: vec!["unlike".to_owned()],
            differences: vec![difference(&recipes[1], &recipes[0]).unwrap()],
            recipes,
        };
        let said = text(&comparison);
        assert!(said.contains("5,000 held-out training images of cifar10"), "{said}");
        assert!(
            said.contains("held-out accuracy %, last epoch") && said.contains("55.00 ± 7.07  "),
            "{said}"
        );
        assert!(said.contains("WARNING: unlike") && !said.contains("test accuracy"), "{said}");
        comparison.judge = Judge::Test;
        assert!(text(&comparison).contains("test accuracy %, last epoch"));
    }
}
