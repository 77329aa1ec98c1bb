//! The workspace as plain data, so that rules can be tested on invented ones.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

/// All that the rules look at.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(crate) crates: Vec<Crate>,
    /// Rust files of the crates, in the order of their paths.
    pub(crate) files: Vec<SourceFile>,
    /// Names of the files and folders at the top, less what git ignores.
    pub(crate) top_level: Vec<String>,
    /// The text of `crates/README.md`.
    pub(crate) map: Option<String>,
    /// `Cargo.lock`.
    pub(crate) locked: Vec<Locked>,
}

/// A member of the workspace.
#[derive(Clone, Default)]
pub(crate) struct Crate {
    /// Of the package: `wick-ops`.
    pub(crate) name: String,
    /// From the top, with `/`: `crates/ops`.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
    /// `Cargo.toml`.
    pub(crate) manifest: toml::Table,
    pub(crate) readme: bool,
    pub(crate) examples: usize,
}

#[derive(Clone, Default, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kind: Option<Kind>,
    /// Whether only a feature brings it.
    #[serde(default)]
    pub(crate) optional: bool,
}

/// `None` in [`Dependency`] stands for a normal one, as in `cargo metadata`.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Dev,
    Build,
}

pub(crate) struct SourceFile {
    /// From the top, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A package in `Cargo.lock`.
#[derive(Deserialize)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `name`, or `name version` where there are several.
    #[serde(default)]
    pub(crate) dependencies: Vec<String>,
}

impl Crate {
    /// The name without the project's: `ops`.
    pub(crate) fn short(&self) -> &str {
        short(&self.name)
    }
}

pub(crate) fn short(package: &str) -> &str {
    package.strip_prefix("wick-").unwrap_or(package)
}

impl Workspace {
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut workspace = Self { top_level: top_level(root)?, ..Self::default() };
        workspace.map = fs::read_to_string(root.join("crates/README.md")).ok();
        workspace.locked = locked(root)?;
        for package in metadata(root)?.packages {
            workspace.crates.push(package.into_crate(root)?);
        }
        workspace.crates.sort_by(|a, b| a.folder.cmp(&b.folder));
        for member in &workspace.crates {
            rust_files(root, &root.join(&member.folder), &mut workspace.files)?;
        }
        Ok(workspace)
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: std::path::PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

impl Package {
    fn into_crate(self, root: &Path) -> anyhow::Result<Crate> {
        let folder = self.manifest_path.parent().context("a manifest lies in no folder")?;
        let manifest = read(&self.manifest_path)?;
        Ok(Crate {
            name: self.name,
            folder: relative(root, folder),
            dependencies: self.dependencies,
            manifest: manifest.parse().with_context(|| self.manifest_path.display().to_string())?,
            readme: folder.join("README.md").is_file(),
            examples: self
                .targets
                .iter()
                .filter(|target| target.kind.iter().any(|kind| kind == "example"))
                .count(),
        })
    }
}

fn metadata(root: &Path) -> anyhow::Result<Metadata> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
    let output = cargo.output().context("cannot start cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata prints something unknown")
}

fn locked(root: &Path) -> anyhow::Result<Vec<Locked>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    let lock: Lock = toml::from_str(&read(&root.join("Cargo.lock"))?).context("Cargo.lock")?;
    Ok(lock.package)
}

/// `.gitignore` lists what may lie there besides, as `/name`; git's own folder is none of the workspace's.
fn top_level(root: &Path) -> anyhow::Result<Vec<String>> {
    let ignored = read(&root.join(".gitignore"))?;
    let ignored: Vec<_> = ignored.lines().filter_map(|line| line.strip_prefix('/')).chain([".git"]).collect();
    Ok(names(root)?.into_iter().filter(|name| !ignored.contains(&name.as_str())).collect())
}

fn rust_files(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> anyhow::Result<()> {
    for name in names(folder)? {
        let path = folder.join(&name);
        if path.is_dir() {
            rust_files(root, &path, files)?;
        } else if name.ends_with(".rs") {
            files.push(SourceFile { path: relative(root, &path), text: read(&path)? });
        }
    }
    Ok(())
}

fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let read = || format!("cannot read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(read)? {
        names.push(entry.with_context(read)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let workspace = Workspace::read(root).unwrap();
        let find = |name: &str| workspace.crates.iter().find(|member| member.name == name).unwrap();
        let (runs, xtask) = (find("wick-runs"), find("xtask"));
        assert_eq!((runs.folder.as_str(), runs.readme, runs.examples), ("crates/runs", true, 1));
        assert!(xtask.dependencies.iter().any(|dependency| dependency.name == "wick-runs"));
        assert!(workspace.files.iter().any(|file| file.path == "xtask/src/main.rs"));
        assert!(workspace.locked.iter().any(|package| package.name == "serde"));
        assert!(workspace.top_level.iter().any(|name| name == "Cargo.toml"));
        assert!(!workspace.top_level.iter().any(|name| name == "target"));
    }
}
