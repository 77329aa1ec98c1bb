//! The `pipeline` binary, built and found.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Builds it with this program's own profile, and returns where it lies.
pub(crate) fn build() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    eprintln!("building the pipeline (minutes the first time, nothing afterwards)");
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", "wick-pipeline"])
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the pipeline did not build");
    // Built with the same profile, it lies beside this program.
    let own = std::env::current_exe().context("cannot tell where this program lies")?;
    let path = own.with_file_name(format!("pipeline{}", std::env::consts::EXE_SUFFIX));
    ensure!(path.exists(), "{} is not there after the build; start this by `cargo xtask`", path.display());
    Ok(path)
}
