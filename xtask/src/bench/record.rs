//! Results that are kept: a file each, and one table of all.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;
use wick_runs::{Timestamp, git_revision, write_atomic};

use super::Keep;
use super::load::Load;
use super::machine::Machine;

/// A result and how it came about.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a, T> {
    date: String,
    command: String,
    revision: Option<String>,
    machine: Machine,
    load: Load,
    result: &'a T,
}

/// The table's columns: first of the record, then of its result.
const OF_RECORD: [&str; 1] = ["date"];
const OF_RESULT: [&str; 15] = [
    "work",
    "precision",
    "engine",
    "batch",
    "threads",
    "img_per_s",
    "eval_img_per_s",
    "peak_rss_mb",
    "peer",
    "peer_img_per_s",
    "peer_eval_img_per_s",
    "peer_peak_rss_mb",
    "ratio",
    "eval_ratio",
    "rss_ratio",
];

const TABLE: &str = "results.csv";

impl<'a, T: Serialize> Record<'a, T> {
    pub(super) fn new(load: Load, result: &'a T) -> Self {
        let words = std::env::args().skip(1);
        Self {
            date: Timestamp::now().to_string(),
            command: ["cargo".into(), "xtask".into()]
                .into_iter()
                .chain(words)
                .collect::<Vec<String>>()
                .join(" "),
            revision: git_revision(Path::new(env!("CARGO_MANIFEST_DIR"))),
            machine: Machine::here(),
            load,
            result,
        }
    }

    /// Writes `<name>-<machine>.json` if that was asked for, brings the table up to date, and says where they are.
    pub(super) fn keep(&self, keep: &Keep, name: &str) -> Result<()> {
        if let Some(file) = self.file(keep, name, "json") {
            self.write(&file)?;
            eprintln!(
                "kept in {}; `cargo xtask results` takes it into the README, if its machine has a table there",
                file.display()
            );
        }
        Ok(())
    }

    /// Where a file of this record is kept, if it is.
    pub(super) fn file(&self, keep: &Keep, name: &str, ending: &str) -> Option<PathBuf> {
        let machine = keep.machine.clone().unwrap_or_else(|| self.machine.name());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/bench");
        keep.record.then(|| folder.join(format!("{name}-{machine}.{ending}")))
    }

    fn write(&self, file: &Path) -> Result<()> {
        write_atomic(file, format!("{}\n", serde_json::to_string_pretty(self)?).as_bytes())?;
        let folder = file.parent().context("a record lies in a folder")?;
        write_atomic(&folder.join(TABLE), table(folder)?.as_bytes())?;
        Ok(())
    }
}

/// One line for each record in `folder`, by name; sweeps have tables of their own.
fn table(folder: &Path) -> Result<String> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let mut text = format!("file,{},{},others\n", OF_RECORD.join(","), OF_RESULT.join(","));
    for file in files {
        let read = || -> Result<Value> { Ok(serde_json::from_str(&std::fs::read_to_string(&file)?)?) };
        let record = read().with_context(|| format!("{} is no record", file.display()))?;
        let result = &record["result"];
        if result.get("img_per_s").is_none() {
            continue;
        }
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let of_result = |key: &&str| match *key {
            // In a comparison every round has it.
            "engine" => cell(result.get(*key).unwrap_or(&result["rounds"][0]["ours"][*key])),
            key => cell(&result[key]),
        };
        let cells = [name].into_iter().chain(OF_RECORD.iter().map(|key| cell(&record[*key])));
        let cells = cells.chain(OF_RESULT.iter().map(of_result)).chain([cell(&record["load"]["others"])]);
        text.push_str(&cells.collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    Ok(text)
}

/// Without commas, which would part it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace(", ", " ").replace([',', '"', '\n'], " "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::comparison::{Comparison, tests::rounds};
    use super::super::measurement::tests::example;
    use super::*;

    #[test]
    fn records_make_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let load = Load { cores: 2, average_before: Some(0.1), others: Some(0.01) };
        let comparison = Comparison::of(rounds()).unwrap();
        Record::new(load, &comparison).write(&folder.path().join("resnet18-f32-x.json")).unwrap();
        Record::new(load, &example(94.3, 303.0, 1101.0)).write(&folder.path().join("a.json")).unwrap();
        let sweep = serde_json::json!({"points": []});
        Record::new(load, &sweep).write(&folder.path().join("sweep.json")).unwrap();

        let table = std::fs::read_to_string(folder.path().join(TABLE)).unwrap();
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(rows.len(), 3, "{table}");
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{table}");
        let at = |row: usize, name: &str| rows[row][rows[0].iter().position(|c| *c == name).unwrap()];
        assert_eq!((at(1, "file"), at(1, "img_per_s"), at(1, "ratio")), ("a.json", "94.3", ""));
        assert_eq!(
            (at(2, "file"), at(2, "img_per_s"), at(2, "ratio")),
            ("resnet18-f32-x.json", "280.0", "2.2581")
        );
        assert_eq!((at(2, "engine"), at(2, "peer")), ("autograd", "torch 2.15.0 compiled tcmalloc"));
        assert_eq!(at(2, "others"), "0.01");

        let text = std::fs::read_to_string(folder.path().join("a.json")).unwrap();
        for key in ["date", "command", "machine", "compiler", "memory_gib", "average_before"] {
            assert!(text.contains(&format!("\"{key}\"")), "{key} in {text}");
        }
    }

    #[test]
    fn only_what_was_asked_for_is_kept() {
        let load = Load { cores: 2, average_before: None, others: None };
        let result = Value::Null;
        let record = Record::new(load, &result);
        let keep = |record, machine: Option<&str>| Keep { record, machine: machine.map(str::to_owned) };
        assert_eq!(record.file(&keep(false, None), "x", "json"), None);
        let file = record.file(&keep(true, Some("mine")), "resnet18-f32", "json").unwrap();
        assert!(file.ends_with("results/bench/resnet18-f32-mine.json"), "{}", file.display());
    }
}
