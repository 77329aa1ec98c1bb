//! What cargo itself checks.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context;

struct Check {
    name: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const CHECKS: &[Check] = &[
    Check { name: "cargo fmt", arguments: &["fmt", "--all", "--check"], environment: &[] },
    Check {
        name: "cargo clippy",
        arguments: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        environment: &[],
    },
    Check {
        name: "cargo doc",
        arguments: &["doc", "--workspace", "--no-deps"],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    Check { name: "cargo test", arguments: &["test", "--workspace"], environment: &[] },
];

/// Runs every check, whether or not an earlier one failed, and returns the names of those that did.
pub(crate) fn run(root: &Path) -> anyhow::Result<Vec<&'static str>> {
    let mut failed = Vec::new();
    for check in CHECKS {
        println!("-----  cargo {}", check.arguments.join(" "));
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        let start = Instant::now();
        let status = cargo
            .args(check.arguments)
            .envs(check.environment.iter().copied())
            .current_dir(root)
            .status()
            .with_context(|| format!("cannot start {}", check.name))?;
        let seconds = start.elapsed().as_secs();
        println!("{} {}, {seconds} s", if status.success() { "ok    " } else { "BROKEN" }, check.name);
        if !status.success() {
            failed.push(check.name);
        }
    }
    Ok(failed)
}
