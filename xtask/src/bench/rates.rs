//! The records of one machine beside PyTorch, as a table in Markdown.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use wick_runs::read_text;

use super::comparison::{Comparison, EVALUATION, Figure, MEMORY, TRAINING};
use super::load::Load;
use super::table::{number, spread};

/// The networks in their order, and what readers call them.
const WORKS: [(&str, &str); 5] = [
    ("resnet18", "ResNet-18"),
    ("resnet34", "ResNet-34"),
    ("resnet18_ln", "ResNet-18, LayerNorm, layer4 stride 1"),
    ("custom_resnet", "custom ResNet"),
    ("speedrun", "speedrun network"),
];
const PRECISIONS: [&str; 2] = ["f32", "bf16"];

/// What is read of a record.
#[derive(Deserialize)]
struct Kept {
    /// When it was made, in full.
    date: String,
    load: Load,
    result: Comparison,
}

/// A line for each of training, evaluation and memory of every record `<work>-<precision>-<machine>.json` in `folder`.
///
/// # Errors
/// There is none, or one cannot be read, is of something else than its name says, or was made while other programs were busy.
pub(crate) fn rates(folder: &Path, machine: &str) -> Result<String> {
    let mut text =
        "| | batch | Wick | PyTorch | Wick / PyTorch | measured |\n|---|---:|---:|---:|---:|---|\n"
            .to_owned();
    let head = text.len();
    for (work, name) in WORKS {
        for precision in PRECISIONS {
            let file = folder.join(format!("{work}-{precision}-{machine}.json"));
            if file.try_exists().with_context(|| format!("cannot read {}", file.display()))? {
                let kept: Kept = serde_json::from_str(&read_text(&file)?)
                    .with_context(|| format!("{} is no comparison", file.display()))?;
                let of = (kept.result.work.as_str(), kept.result.precision.as_str());
                ensure!(of == (work, precision), "{} is of {} in {}", file.display(), of.0, of.1);
                if let Some(others) = kept.load.busy() {
                    bail!(
                        "{} was measured while other programs used {others:.2} cores: measure it again on an idle machine",
                        file.display()
                    );
                }
                text.push_str(&lines(&format!("{name}, {precision}"), &kept));
            }
        }
    }
    ensure!(text.len() > head, "{} has no record of a machine `{machine}`", folder.display());
    Ok(text)
}

fn lines(name: &str, kept: &Kept) -> String {
    let (batch, day) = (kept.result.batch, kept.date.get(..10).unwrap_or(&kept.date));
    let figures: [(&str, Figure); 2] = [("training", TRAINING), ("evaluation", EVALUATION)];
    let mut text = String::new();
    for (what, figure) in figures {
        let [ours, theirs, ratio] = kept.result.spreads(figure).map(spread);
        text.push_str(&format!(
            "| {name}: {what}, images/s | {batch} | {ours} | {theirs} | {} | {day} |\n",
            bold(&ratio)
        ));
    }
    let [ours, theirs, ratio] =
        kept.result.spreads(MEMORY).map(|s| s.map_or_else(|| "–".to_owned(), |s| number(s.median)));
    text.push_str(&format!("| … peak memory, MiB | | {ours} | {theirs} | {ratio} | |\n"));
    text
}

/// `**2.54** (2.47–2.54)`.
fn bold(spread: &str) -> String {
    let (median, ends) = spread.split_once(' ').unwrap_or((spread, ""));
    format!("**{median}** {ends}").trim_end().to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::comparison::tests::rounds;
    use super::*;

    /// A record as `file`, which says of what it is.
    pub(crate) fn keep(folder: &Path, file: &str) {
        let mut result = serde_json::to_value(Comparison::of(rounds()).unwrap()).unwrap();
        result["work"] = file.split('-').next().into();
        let load = serde_json::json!({"cores": 2, "average_before": 1.9, "others": 0.01});
        let record = serde_json::json!({"date": "2026-11-26T18:11:48Z", "load": load, "result": result});
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join(file), record.to_string()).unwrap();
    }

    #[test]
    fn records_of_a_machine_are_told_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "speedrun-f32-m.json",
            "resnet18-f32-m.json",
            "resnet18-f32-other.json",
            "resnet18-f32-batch32-m.json",
        ] {
            keep(folder.path(), file);
        }
        let text = rates(folder.path(), "m").unwrap();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| ResNet-18, f32: training, images/s | 128 | 280 (270–290) | 124 (120–125) | **2.26** (2.18–2.33) | 2026-11-26 |",
                "| ResNet-18, f32: evaluation, images/s | 128 | 850 (800–900) | 400 (390–410) | **2.12** (2.05–2.25) | 2026-11-26 |",
                "| … peak memory, MiB | | 710 | 1240 | 0.57 | |",
                "| speedrun network, f32: training, images/s | 128 | 280 (270–290) | 124 (120–125) | **2.26** (2.18–2.33) | 2026-11-26 |",
                "| speedrun network, f32: evaluation, images/s | 128 | 850 (800–900) | 400 (390–410) | **2.12** (2.05–2.25) | 2026-11-26 |",
                "| … peak memory, MiB | | 710 | 1240 | 0.57 | |",
            ]
        );
    }

    #[test]
    fn a_machine_without_records_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(rates(folder.path(), "m").unwrap_err().to_string().contains("no record of a machine `m`"));
        std::fs::write(folder.path().join("resnet18-f32-m.json"), "{}").unwrap();
        assert!(rates(folder.path(), "m").unwrap_err().to_string().contains("is no comparison"));
    }

    #[test]
    fn a_record_of_something_else_or_of_a_busy_machine_is_refused() {
        let refused = |from: &str, to: &str| {
            let folder = tempfile::tempdir().unwrap();
            keep(folder.path(), "resnet18-f32-m.json");
            let file = folder.path().join("resnet18-f32-m.json");
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{text}");
            std::fs::write(&file, text.replace(from, to)).unwrap();
            rates(folder.path(), "m").unwrap_err().to_string()
        };
        assert!(refused("\"others\":0.01", "\"others\":0.4").contains("other programs used 0.40 cores"));
        assert!(refused("\"work\":\"resnet18\"", "\"work\":\"speedrun\"").contains("is of speedrun in f32"));
    }
}
