//! One version of each dependency, named once.

use std::collections::{BTreeMap, BTreeSet};

use super::workspace::{Crate, Workspace};

/// Every dependency of a member is `workspace = true`.
pub(crate) fn inherited(workspace: &Workspace) -> Vec<String> {
    let mut broken = Vec::new();
    for member in &workspace.crates {
        for (name, settings) in declared(member) {
            if settings.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                broken.push(format!("{}/Cargo.toml: {name} is not `workspace = true`", member.folder));
            }
        }
    }
    broken
}

/// All members use the same version of what they name.
pub(crate) fn one_version(workspace: &Workspace) -> Vec<String> {
    let several = direct(workspace).into_iter().filter(|(_, versions)| versions.len() > 1);
    several.map(|(name, versions)| format!("{name} is used as {}", list(&versions))).collect()
}

/// Direct dependencies of which another one brings a further version: no fault, but good to know.
pub(crate) fn notes(workspace: &Workspace) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, used) in direct(workspace) {
        let all = versions(workspace, &name);
        let further: BTreeSet<_> = all.difference(&used).cloned().collect();
        if !further.is_empty() {
            notes.push(format!(
                "{name} {} is used, but others bring {} with them",
                list(&used),
                list(&further)
            ));
        }
    }
    notes
}

/// The tables of dependencies in a manifest, those for one platform only included.
fn declared(member: &Crate) -> Vec<(&String, &toml::Value)> {
    const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = member.manifest.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(toml::Table::values).filter_map(toml::Value::as_table);
    let tables = [&member.manifest].into_iter().chain(targets);
    tables
        .flat_map(|table| TABLES.iter().filter_map(|name| table.get(*name)?.as_table()))
        .flat_map(|dependencies| dependencies.iter())
        .collect()
}

/// The versions of each package that members name themselves.
fn direct(workspace: &Workspace) -> BTreeMap<String, BTreeSet<String>> {
    let mut direct = BTreeMap::<_, BTreeSet<_>>::new();
    for member in &workspace.crates {
        let locked = workspace.locked.iter().filter(|package| package.name == member.name);
        for dependency in locked.flat_map(|package| &package.dependencies) {
            // `name`, `name version` or `name version (source)`.
            let mut parts = dependency.split(' ');
            let name = parts.next().unwrap_or_default();
            let versions = match parts.next() {
                Some(version) => BTreeSet::from([version.to_owned()]),
                None => versions(workspace, name),
            };
            direct.entry(name.to_owned()).or_default().extend(versions);
        }
    }
    direct
}

fn versions(workspace: &Workspace, name: &str) -> BTreeSet<String> {
    let locked = workspace.locked.iter().filter(|package| package.name == name);
    locked.map(|package| package.version.clone()).collect()
}

fn list(versions: &BTreeSet<String>) -> String {
    versions.iter().map(String::as_str).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::workspace::Locked;

    fn member(name: &str, manifest: &str) -> Crate {
        let folder = format!("crates/{name}");
        Crate { name: name.into(), folder, manifest: manifest.parse().unwrap(), ..Crate::default() }
    }

    #[test]
    fn versions_of_its_own_are_caught() {
        let manifest = r#"
            [dependencies]
            serde.workspace = true
            toml = { workspace = true, features = ["x"] }
            rand = "0.9"
            [dev-dependencies]
            csv = { version = "1", features = ["x"] }
            [target.'cfg(unix)'.dependencies]
            libc = { path = "../libc" }
            [target.'cfg(unix)'.build-dependencies]
            cc = { workspace = false }
        "#;
        let workspace = Workspace { crates: vec![member("a", manifest)], ..Workspace::default() };
        let caught: Vec<_> =
            inherited(&workspace).iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
        assert_eq!(caught, ["rand", "csv", "libc", "cc"]);
    }

    fn package(name: &str, version: &str, dependencies: &[&str]) -> Locked {
        let dependencies = dependencies.iter().map(ToString::to_string).collect();
        Locked { name: name.into(), version: version.into(), dependencies }
    }

    fn locked(rand_of_b: &str) -> Workspace {
        Workspace {
            crates: vec![member("a", ""), member("b", "")],
            locked: vec![
                package("a", "0.1.0", &["rand 0.9.5", "serde"]),
                package("b", "0.1.0", &[rand_of_b]),
                package("rand", "0.9.5", &[]),
                package("rand", "0.10.3", &[]),
                package("serde", "1.0.1", &["rand 0.10.3"]),
            ],
            ..Workspace::default()
        }
    }

    #[test]
    fn two_versions_are_caught() {
        assert_eq!(one_version(&locked("rand 0.10.3")), ["rand is used as 0.10.3 and 0.9.5"]);
        assert!(notes(&locked("rand 0.10.3")).is_empty());
    }

    #[test]
    fn what_another_brings_along_is_noted() {
        assert!(one_version(&locked("rand 0.9.5")).is_empty());
        assert_eq!(notes(&locked("rand 0.9.5")), ["rand 0.9.5 is used, but others bring 0.10.3 with them"]);
    }
}
