//! What was measured on.

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};
use wick_runs::InstructionSet;

/// The machine, as results tell of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) cpu: String,
    /// Logical.
    pub(super) cores: usize,
    pub(super) instruction_set: InstructionSet,
    pub(super) memory_gib: Option<f64>,
    pub(super) os: String,
    pub(super) compiler: Option<String>,
}

impl Machine {
    pub(super) fn here() -> Self {
        let wick_runs::Machine { cpu, cores, instruction_set, os } = wick_runs::machine();
        let read = |path: &str| fs::read_to_string(path).ok();
        let kernel = read("/proc/sys/kernel/osrelease").map(|release| release.trim().to_owned());
        let system = read("/etc/os-release").and_then(|text| pretty_name(&text));
        let os = [system, Some(os), kernel].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let compiler = Command::new(rustc).arg("--version").output().ok().filter(|o| o.status.success());
        Self {
            cpu,
            cores,
            instruction_set,
            memory_gib: read("/proc/meminfo").and_then(|text| memory_gib(&text)),
            os,
            compiler: compiler.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()),
        }
    }

    /// For a file's name: `epyc-2core` for `AMD EPYC`.
    pub(super) fn name(&self) -> String {
        format!("{}-{}core", short(&self.cpu), self.cores)
    }
}

/// Of what a processor or GPU is called, the words that tell it from others, for a file's name: `h200` for `NVIDIA H200`.
pub(super) fn short(name: &str) -> String {
    let words = name.split('@').next().unwrap_or_default().to_lowercase();
    let words = words.replace("(r)", " ").replace("(tm)", " ");
    let tells = |word: &&str| {
        !["amd", "intel", "nvidia", "cpu", "processor", "apple"].contains(word) && !word.ends_with("-core")
    };
    let words = words.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|w| !w.is_empty());
    words.filter(tells).collect::<Vec<_>>().join("-")
}

fn pretty_name(os_release: &str) -> Option<String> {
    let name = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

fn memory_gib(meminfo: &str) -> Option<f64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((kibibytes / f64::from(1 << 20) * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_fit_files() {
        let name = |cpu: &str, cores| Machine { cpu: cpu.to_owned(), cores, ..Machine::here() }.name();
        assert_eq!(name("AMD EPYC", 2), "epyc-2core");
        assert_eq!(name("AMD Ryzen 9 7950X 16-Core Processor", 32), "ryzen-9-7950x-32core");
        assert_eq!(name("Intel(R) Xeon(R) Platinum 8488C CPU @ 2.40GHz", 8), "xeon-platinum-8488c-8core");
        assert_eq!(name("unknown/../x", 1), "unknown-x-1core");
        assert_eq!(short("NVIDIA GeForce RTX 4090"), "geforce-rtx-4090");
    }

    #[test]
    fn the_systems_files_are_read() {
        assert_eq!(memory_gib("MemTotal:       25165824 kB\nMemFree: 1 kB"), Some(24.0));
        assert_eq!(memory_gib("MemFree: 1 kB"), None);
        assert_eq!(pretty_name("NAME=x\nPRETTY_NAME=\"Debian 13\"\n"), Some("Debian 13".to_owned()));
        assert!(Machine::here().cores >= 1);
    }
}
