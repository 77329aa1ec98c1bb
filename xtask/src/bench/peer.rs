//! PyTorch, to be measured beside.

use std::cmp::Ordering;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::Work;
use super::measurement::{Measurement, measured};

/// The variable that names the interpreter.
const VARIABLE: &str = "WICK_PYTHON";

/// A Python that has torch.
#[derive(Debug)]
pub(super) struct Peer {
    python: PathBuf,
    script: PathBuf,
    /// The settings that go on, once they are known.
    settings: Vec<Vec<OsString>>,
}

impl Peer {
    /// `named`, which is `WICK_PYTHON`, or else `python3`.
    pub(super) fn find(named: Option<OsString>) -> Result<Self> {
        let python = PathBuf::from(named.unwrap_or_else(|| "python3".into()));
        let torch = Command::new(&python).args(["-c", "import torch"]).stderr(Stdio::null()).status();
        let why = match torch {
            Ok(status) if status.success() => {
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peer/torch_peer.py");
                return Ok(Self { python, script, settings: Vec::new() });
            }
            Ok(_) => "cannot `import torch`".to_owned(),
            Err(error) => format!("cannot be started: {error}"),
        };
        bail!(
            "--peer needs a Python with PyTorch, and {} {why}; make one by `python3 -m venv ~/torch && \
             ~/torch/bin/pip install torch numpy`, install Debian's libtcmalloc-minimal4, and name it: \
             {VARIABLE}=~/torch/bin/python cargo xtask bench …",
            python.display()
        )
    }

    pub(super) fn from_environment() -> Result<Self> {
        Self::find(std::env::var_os(VARIABLE))
    }

    /// The best rates of several settings. The first time all are tried, each a process of its own; afterwards the two that were
    /// fastest in training, since one that is ahead once, by chance, would flatter whatever it is compared with, and the one
    /// that was fastest in evaluation.
    pub(super) fn measure(&mut self, work: &Work, ours: &Measurement) -> Result<Measurement> {
        let script = std::iter::once(self.script.clone().into());
        let mut arguments: Vec<OsString> = script.chain(arguments(work, ours)).collect();
        if self.settings.is_empty() {
            arguments.push("--best".into());
            let theirs = measured(&self.python, &arguments)?;
            self.settings = fastest_settings(&theirs);
            return Ok(theirs);
        }
        let theirs: Result<Vec<_>> = self
            .settings
            .iter()
            .map(|setting| measured(&self.python, &[&arguments[..], &setting[..]].concat()))
            .collect();
        Measurement::best(theirs?).context("no setting of the peer's is known")
    }
}

/// What has the peer measure the same, where ours was measured.
fn arguments(work: &Work, ours: &Measurement) -> Vec<OsString> {
    let words = ["--work", &work.work, "--precision", &work.precision];
    let mut arguments: Vec<OsString> = words.map(OsString::from).into();
    let numbers = [("--batch", ours.batch), ("--threads", ours.threads), ("--steps", work.steps)];
    arguments.extend(numbers.into_iter().flat_map(|(flag, n)| [flag.into(), n.to_string().into()]));
    if ours.gpu().is_some() {
        // One that was not named is the first.
        let named = work.device.as_deref().filter(|device| device.starts_with("cuda"));
        arguments.extend(["--device".into(), named.unwrap_or("cuda").into()]);
    }
    arguments
}

/// The flags of the settings tried that were fastest: two in training, one in evaluation.
fn fastest_settings(measured: &Measurement) -> Vec<Vec<OsString>> {
    let mut tried: Vec<_> = match measured.more.get("tried") {
        Some(Value::Array(tried)) => tried.iter().filter_map(Value::as_object).collect(),
        _ => vec![&measured.more],
    };
    let mut fastest = |key: &str, n: usize| {
        let rate = |map: &Map<String, Value>| map.get(key).and_then(Value::as_f64);
        tried.sort_by(|a, b| rate(b).partial_cmp(&rate(a)).unwrap_or(Ordering::Equal));
        tried.iter().take(n).map(|map| setting(map)).collect::<Vec<_>>()
    };
    let mut settings = fastest("img_per_s", 2);
    settings.extend(
        fastest("eval_img_per_s", 1).into_iter().filter(|one| !settings.contains(one)).collect::<Vec<_>>(),
    );
    settings
}

/// The flags that repeat what was measured.
fn setting(measured: &Map<String, Value>) -> Vec<OsString> {
    let mut flags = Vec::new();
    if measured.get("compiled").and_then(Value::as_bool) == Some(true) {
        flags.push("--compile".into());
    }
    if let Some(allocator) = measured.get("allocator").and_then(Value::as_str) {
        flags.extend(["--allocator".into(), allocator.into()]);
    }
    flags
}

/// In words: `torch 2.15.0, compiled, tcmalloc`.
pub(super) fn name(measured: &Measurement) -> String {
    let compiled = measured.more.get("compiled").and_then(Value::as_bool) == Some(true);
    let allocator = measured.text("allocator").filter(|a| *a != "default");
    let words = [
        measured.text("peer").or(Some("PyTorch")),
        Some(if compiled { "compiled" } else { "eager" }),
        allocator,
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::measurement::tests::example;
    use super::*;

    #[test]
    fn the_peer_measures_where_ours_was() {
        let work = |device: Option<&str>| Work {
            work: "resnet18".into(),
            precision: "bf16".into(),
            steps: 7,
            engine: None,
            device: device.map(str::to_owned),
        };
        let mut ours = example(1.0, 2.0, 3.0);
        let on_cpu =
            ["--work", "resnet18", "--precision", "bf16", "--batch", "128", "--threads", "2", "--steps", "7"];
        assert_eq!(arguments(&work(None), &ours), on_cpu);
        ours.more.insert("device".into(), "cpu".into());
        assert_eq!(arguments(&work(Some("auto")), &ours), on_cpu);
        ours.more.insert("device".into(), "NVIDIA H200".into());
        for (device, expected) in [(None, "cuda"), (Some("auto"), "cuda"), (Some("cuda:1"), "cuda:1")] {
            assert_eq!(arguments(&work(device), &ours), [&on_cpu[..], &["--device", expected]].concat());
        }
    }

    #[test]
    fn a_setting_is_repeated() {
        let mut measured = example(1.0, 2.0, 3.0);
        assert_eq!(setting(&measured.more), ["--compile", "--allocator", "tcmalloc"]);
        assert_eq!(name(&measured), "torch 2.15.0, compiled, tcmalloc");
        measured.more.insert("compiled".into(), false.into());
        measured.more.insert("allocator".into(), "default".into());
        assert_eq!(setting(&measured.more), ["--allocator", "default"]);
        assert_eq!(name(&measured), "torch 2.15.0, eager");
    }

    #[test]
    fn the_fastest_settings_go_on() {
        let mut measured = example(3.0, 2.0, 3.0);
        let tried = r#"[{"img_per_s": 1.0, "eval_img_per_s": 9.0, "compiled": false, "allocator": "default"},
            {"img_per_s": 2.5, "eval_img_per_s": 5.0, "compiled": false, "allocator": "tcmalloc"},
            {"img_per_s": 3.0, "eval_img_per_s": 2.0, "compiled": true, "allocator": "tcmalloc"}]"#;
        measured.more.insert("tried".into(), serde_json::from_str(tried).unwrap());
        let in_training = [vec!["--compile", "--allocator", "tcmalloc"], vec!["--allocator", "tcmalloc"]];
        let expected = [&in_training[..], &[vec!["--allocator", "default"]]].concat();
        assert_eq!(fastest_settings(&measured), expected);
        let tried = tried.replace("9.0", "1.0");
        measured.more.insert("tried".into(), serde_json::from_str(&tried).unwrap());
        assert_eq!(fastest_settings(&measured), in_training);
    }

    #[test]
    fn without_torch_it_says_how_to_get_it() {
        let error = Peer::find(Some("no such python".into())).unwrap_err().to_string();
        for words in ["no such python", "pip install torch", "WICK_PYTHON="] {
            assert!(error.contains(words), "{error}");
        }
    }
}
