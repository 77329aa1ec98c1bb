//! The tables themselves, in Markdown.

use std::path::Path;

use anyhow::{Context, bail};

use super::runs::Reached;
use crate::bench;

/// A table by the name that it has in a text: `accuracies`, or `rates of MACHINE`.
pub(super) fn named(results: &Path, reached: &[Reached], name: &str) -> anyhow::Result<String> {
    if name == "accuracies" {
        return Ok(accuracies(reached));
    }
    match name.strip_prefix("rates of ") {
        Some(machine) => {
            bench::rates(&results.join("bench"), machine).with_context(|| format!("no table `{name}`"))
        }
        None => bail!("there is no table `{name}`, but `accuracies` and `rates of MACHINE`"),
    }
}

/// One line for each recipe, precision and machine.
fn accuracies(reached: &[Reached]) -> String {
    let mut text =
        "| recipe | published | Wick: mean ± deviation (n) | epochs | precision | machine | training |\n\
                    |---|---:|---:|---:|---|---|---:|\n"
            .to_owned();
    for Reached { row, published, seconds } in reached {
        let percent = |accuracy: f64| format!("{:.2}", 100.0 * accuracy);
        let published =
            published.map_or_else(|| "–".to_owned(), |accuracy| format!("{} %", percent(accuracy)));
        let deviation =
            row.deviation.map_or_else(String::new, |deviation| format!(" ± {}", percent(deviation)));
        let (recipe, ours, runs) = (&row.recipe, percent(row.test_accuracy), row.runs);
        text.push_str(&format!(
            "| [`{recipe}`](xtask/results/{recipe}) | {published} | **{ours}{deviation} %** ({runs}) | {} | {} | {} | {} |\n",
            row.epochs,
            row.precision,
            row.machine,
            times(*seconds)
        ));
    }
    text
}

/// From the quickest to the slowest: `1.8 s`, `8.1–9.6 s`, `50.0 s–2.3 h`.
fn times(seconds: [f64; 2]) -> String {
    let [(from, unit), (to, name)] = seconds.map(|seconds| match seconds {
        s if s < 99.95 => (format!("{s:.1}"), "s"),
        s if s < 5997.0 => (format!("{:.1}", s / 60.0), "min"),
        s => (format!("{:.1}", s / 3600.0), "h"),
    });
    match (from == to, unit == name) {
        (true, true) => format!("{to} {name}"),
        (false, true) => format!("{from}–{to} {name}"),
        (_, false) => format!("{from} {unit}–{to} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use wick_runs::MeasuredRow;

    use super::*;

    #[test]
    fn times_are_in_a_unit_that_they_fill() {
        assert_eq!(times([1.82, 1.84]), "1.8 s");
        assert_eq!(times([8.1, 99.9]), "8.1–99.9 s");
        assert_eq!(times([120.0, 300.0]), "2.0–5.0 min");
        assert_eq!(times([50.0, 8280.0]), "50.0 s–2.3 h");
        assert_eq!(times([8280.0, 8280.0]), "2.3 h");
    }

    #[test]
    fn a_line_says_what_was_published_and_what_was_reached() {
        let row = MeasuredRow {
            recipe: "speedrun".to_owned(),
            precision: "bf16".to_owned(),
            machine: "h200".to_owned(),
            runs: 5,
            epochs: 10,
            test_accuracy: 0.94028,
            deviation: Some(0.000996),
        };
        let alone = MeasuredRow { runs: 1, deviation: None, ..row.clone() };
        let text = accuracies(&[
            Reached { row, published: Some(0.9401), seconds: [1.8, 2.04] },
            Reached { row: alone, published: None, seconds: [600.0; 2] },
        ]);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| [`speedrun`](xtask/results/speedrun) | 94.01 % | **94.03 ± 0.10 %** (5) | 10 | bf16 | h200 | 1.8–2.0 s |",
                "| [`speedrun`](xtask/results/speedrun) | – | **94.03 %** (1) | 10 | bf16 | h200 | 10.0 min |",
            ]
        );
    }

    #[test]
    fn a_table_that_is_not_there_is_refused_with_those_that_are() {
        let error = named(Path::new("."), &[], "losses").unwrap_err().to_string();
        assert!(error.contains("`losses`") && error.contains("`rates of MACHINE`"), "{error}");
    }
}
