//! What the program runs on, for the manifest.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The machine a run was made on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model, as it names itself; `unknown` where it does not.
    pub cpu: String,
    /// Logical cores this process may use.
    pub cores: usize,
    /// The widest instructions it has.
    pub instruction_set: InstructionSet,
    /// Operating system and architecture, for example `linux x86_64`.
    pub os: String,
}

/// The widest instructions a processor has, of those that matter to arithmetic on floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstructionSet {
    /// AVX-512 with dot products of bfloat16.
    #[serde(rename = "avx512+bf16")]
    Avx512Bf16,
    /// AVX-512 (foundation).
    #[serde(rename = "avx512")]
    Avx512,
    /// AVX2 with fused multiply-add.
    #[serde(rename = "avx2+fma")]
    Avx2Fma,
    /// ARM's Advanced SIMD.
    #[serde(rename = "neon")]
    Neon,
    /// Whatever the compiler assumes of every processor of the architecture.
    #[serde(rename = "portable")]
    Portable,
}

impl InstructionSet {
    /// What this processor has.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512bf16") {
                return Self::Avx512Bf16;
            }
            if has!("avx512f") {
                return Self::Avx512;
            }
            if has!("avx2") && has!("fma") {
                return Self::Avx2Fma;
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            return Self::Neon;
        }
        Self::Portable
    }

    /// Its name, as in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512Bf16 => "avx512+bf16",
            Self::Avx512 => "avx512",
            Self::Avx2Fma => "avx2+fma",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }
}

/// The machine this process runs on.
pub fn machine() -> Machine {
    Machine {
        cpu: cpu_name().unwrap_or_else(|| "unknown".to_owned()),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        instruction_set: InstructionSet::detect(),
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    }
}

fn cpu_name() -> Option<String> {
    if let Ok(info) = fs::read_to_string("/proc/cpuinfo") {
        let line = info.lines().find(|line| line.starts_with("model name"))?;
        return Some(line.split_once(':')?.1.trim().to_owned());
    }
    output(Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]))
}

/// The git revision checked out in the repository that `folder` lies in, ending in `-dirty` where tracked
/// files differ from it. `None` where there is no repository or no git.
pub fn git_revision(folder: &Path) -> Option<String> {
    let git = || {
        let mut git = Command::new("git");
        git.arg("-C").arg(folder);
        git
    };
    let revision = output(git().args(["rev-parse", "HEAD"]))?;
    let clean = output(git().args(["status", "--porcelain", "--untracked-files=no"])).is_none();
    Some(if clean { revision } else { revision + "-dirty" })
}

/// What a command prints, trimmed; `None` where it fails or prints nothing.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_cores_and_a_named_instruction_set() {
        let machine = machine();
        assert!(machine.cores >= 1);
        let json = serde_json::to_value(&machine).unwrap();
        assert_eq!(json["instruction_set"], machine.instruction_set.name());
        assert_eq!(serde_json::from_value::<Machine>(json).unwrap(), machine);
    }

    #[test]
    fn no_revision_outside_a_repository() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(git_revision(folder.path()), None);
        assert_eq!(git_revision(&folder.path().join("nowhere")), None);
    }
}
