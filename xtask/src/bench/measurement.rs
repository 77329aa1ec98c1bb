//! One measurement: what a process that measured has told.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// The keys that `pipeline bench train-step --json` and `torch_peer.py` share, and all others as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Measurement {
    pub(super) work: String,
    pub(super) precision: String,
    pub(super) batch: usize,
    pub(super) threads: usize,
    pub(super) img_per_s: f64,
    pub(super) eval_img_per_s: f64,
    /// MiB.
    pub(super) peak_rss_mb: Option<f64>,
    pub(super) logits_error: Option<f64>,
    pub(super) gradient_error: Option<f64>,
    #[serde(flatten)]
    pub(super) more: serde_json::Map<String, serde_json::Value>,
}

impl Measurement {
    /// The last line that is JSON; libraries may have printed others.
    pub(super) fn read(text: &str) -> Result<Self> {
        let line =
            text.lines().rev().find(|line| line.starts_with('{')).context("it printed no line of JSON")?;
        serde_json::from_str(line)
            .with_context(|| format!("it printed something else than a measurement: {line}"))
    }

    /// The one that is fastest in training, with the highest evaluation rate of all: each rate is the best that was seen.
    pub(super) fn best(measured: impl IntoIterator<Item = Self>) -> Option<Self> {
        measured.into_iter().reduce(|a, b| {
            let eval_img_per_s = a.eval_img_per_s.max(b.eval_img_per_s);
            let faster = if b.img_per_s > a.img_per_s { b } else { a };
            Self { eval_img_per_s, ..faster }
        })
    }

    /// The GPU's name, if it was measured on one.
    pub(super) fn gpu(&self) -> Option<&str> {
        self.text("device").filter(|device| *device != "cpu")
    }

    /// A text among the other keys.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.more.get(key)?.as_str()
    }
}

/// Starts `program` and reads what it measured; what it has to say on standard error is shown.
pub(super) fn measured(program: &Path, arguments: &[OsString]) -> Result<Measurement> {
    let name = program.file_name().unwrap_or(program.as_os_str()).display();
    let output = Command::new(program)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    if !output.status.success() {
        bail!("{name} measured nothing and ended with {}", output.status);
    }
    Measurement::read(&String::from_utf8_lossy(&output.stdout))
        .with_context(|| format!("reading what {name} measured"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Of either side.
    pub(crate) fn example(img_per_s: f64, eval_img_per_s: f64, peak_rss_mb: f64) -> Measurement {
        let text = format!(
            r#"{{"work": "resnet18", "precision": "f32", "batch": 128, "threads": 2, "img_per_s": {img_per_s},
                "eval_img_per_s": {eval_img_per_s}, "peak_rss_mb": {peak_rss_mb}, "logits_error": 1e-6,
                "gradient_error": 0.001, "engine": "autograd", "peer": "torch 2.15.0", "compiled": true,
                "allocator": "tcmalloc"}}"#
        );
        Measurement::read(&text.replace('\n', "")).unwrap()
    }

    #[test]
    fn both_sides_lines_are_read_and_kept_whole() {
        let m = example(94.3, 303.0, 1101.0);
        assert_eq!((m.batch, m.img_per_s, m.peak_rss_mb), (128, 94.3, Some(1101.0)));
        assert_eq!((m.text("peer"), m.text("none"), m.gpu()), (Some("torch 2.15.0"), None, None));
        let again = Measurement::read(&serde_json::to_string(&m).unwrap()).unwrap();
        assert_eq!(m, again);
    }

    #[test]
    fn each_rate_is_the_best_that_was_seen() {
        let all = [example(90.0, 300.0, 7.0), example(94.0, 250.0, 8.0), example(80.0, 260.0, 9.0)];
        assert_eq!(Measurement::best(all), Some(example(94.0, 300.0, 8.0)));
        assert_eq!(Measurement::best([]), None);
    }

    #[test]
    fn what_the_system_does_not_tell_is_missing() {
        let line = r#"{"work":"w","precision":"f32","batch":1,"threads":1,"img_per_s":1,"eval_img_per_s":2,"peak_rss_mb":null}"#;
        let m = Measurement::read(&format!("a warning\n{line}\n\n")).unwrap();
        assert_eq!((m.peak_rss_mb, m.logits_error), (None, None));
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(Measurement::read("").unwrap_err().to_string().contains("no line of JSON"));
        let error = Measurement::read(r#"{"work": 5}"#).unwrap_err().to_string();
        assert!(error.contains(r#"{"work": 5}"#), "{error}");
    }
}
