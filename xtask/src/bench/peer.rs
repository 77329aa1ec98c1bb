//! PyTorch, to be measured beside.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::Work;
use super::measurement::{Measurement, measured};

/// The variable that names the interpreter.
const VARIABLE: &str = "WICK_PYTHON";

/// A Python that has torch.
#[derive(Debug)]
pub(super) struct Peer {
    python: PathBuf,
    script: PathBuf,
    /// The fastest setting, once it is known.
    setting: Option<Vec<OsString>>,
}

impl Peer {
    /// `named`, which is `WICK_PYTHON`, or else `python3`.
    pub(super) fn find(named: Option<OsString>) -> Result<Self> {
        let python = PathBuf::from(named.unwrap_or_else(|| "python3".into()));
        let torch = Command::new(&python).args(["-c", "import torch"]).stderr(Stdio::null()).status();
        let why = match torch {
            Ok(status) if status.success() => {
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peer/torch_peer.py");
                return Ok(Self { python, script, setting: None });
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

    /// Measures in the fastest setting. The first time that is found by trying them all, each a process of its own.
    pub(super) fn measure(&mut self, work: &Work, ours: &Measurement) -> Result<Measurement> {
        let mut arguments: Vec<OsString> = vec![self.script.clone().into()];
        arguments.extend(["--work", &work.work, "--precision", &work.precision].map(OsString::from));
        let numbers = [("--batch", ours.batch), ("--threads", ours.threads), ("--steps", work.steps)];
        arguments.extend(numbers.into_iter().flat_map(|(flag, n)| [flag.into(), n.to_string().into()]));
        match &self.setting {
            Some(setting) => arguments.extend(setting.iter().cloned()),
            None => arguments.push("--best".into()),
        }
        let theirs = measured(&self.python, &arguments)?;
        self.setting.get_or_insert_with(|| setting(&theirs));
        Ok(theirs)
    }
}

/// The flags that repeat what was measured.
fn setting(measured: &Measurement) -> Vec<OsString> {
    let mut flags = Vec::new();
    if measured.more.get("compiled").and_then(serde_json::Value::as_bool) == Some(true) {
        flags.push("--compile".into());
    }
    if let Some(allocator) = measured.text("allocator") {
        flags.extend(["--allocator".into(), allocator.into()]);
    }
    flags
}

/// In words: `torch 2.15.0, compiled, tcmalloc`.
pub(super) fn name(measured: &Measurement) -> String {
    let compiled = measured.more.get("compiled").and_then(serde_json::Value::as_bool) == Some(true);
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
    fn a_setting_is_repeated() {
        let mut measured = example(1.0, 2.0, 3.0);
        assert_eq!(setting(&measured), ["--compile", "--allocator", "tcmalloc"]);
        assert_eq!(name(&measured), "torch 2.15.0, compiled, tcmalloc");
        measured.more.insert("compiled".into(), false.into());
        measured.more.insert("allocator".into(), "default".into());
        assert_eq!(setting(&measured), ["--allocator", "default"]);
        assert_eq!(name(&measured), "torch 2.15.0, eager");
    }

    #[test]
    fn without_torch_it_says_how_to_get_it() {
        let error = Peer::find(Some("no such python".into())).unwrap_err().to_string();
        for words in ["no such python", "pip install torch", "WICK_PYTHON="] {
            assert!(error.contains(words), "{error}");
        }
    }
}
