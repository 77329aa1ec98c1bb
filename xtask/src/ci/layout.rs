//! What lies where.

use super::workspace::Workspace;

/// Besides dotfiles and licences.
const TOP_LEVEL: &[&str] = &["Cargo.toml", "Cargo.lock", "README.md", "crates", "bins", "fixtures", "xtask"];

pub(crate) fn top_level(workspace: &Workspace) -> Vec<String> {
    let known =
        |name: &str| TOP_LEVEL.contains(&name) || name.starts_with('.') || name.starts_with("LICENSE");
    let unknown = workspace.top_level.iter().filter(|name| !known(name));
    unknown.map(|name| format!("{name} belongs further down, or in .gitignore")).collect()
}

/// Each crate has a README and the workspace's lints; each library has an example and a line in the map, too.
pub(crate) fn crates(workspace: &Workspace) -> Vec<String> {
    let mut broken = Vec::new();
    if workspace.map.is_none() {
        broken.push("crates/README.md, the map of the crates, is missing".to_owned());
    }
    for member in &workspace.crates {
        let folder = &member.folder;
        if !member.readme {
            broken.push(format!("{folder} has no README.md"));
        }
        let lints = member.manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
        if lints != Some(true) {
            broken.push(format!("{folder}/Cargo.toml: `lints.workspace = true` is missing"));
        }
        let Some(name) = folder.strip_prefix("crates/") else { continue };
        if member.examples == 0 {
            broken.push(format!("{folder} has no example"));
        }
        if workspace.map.as_ref().is_some_and(|map| !map.contains(&format!("`{name}`"))) {
            broken.push(format!("crates/README.md has no line on `{name}`"));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::workspace::Crate;

    #[test]
    fn strays_are_caught() {
        let names = ["Cargo.toml", ".ci", "LICENSE-MIT", "crates", "notes.txt", "scripts"];
        let top_level = names.map(String::from).into();
        let broken = super::top_level(&Workspace { top_level, ..Workspace::default() });
        assert_eq!(
            broken,
            [
                "notes.txt belongs further down, or in .gitignore",
                "scripts belongs further down, or in .gitignore"
            ]
        );
    }

    fn member(folder: &str, lints: &str) -> Crate {
        let manifest = lints.parse().unwrap();
        Crate { folder: folder.into(), manifest, readme: true, examples: 1, ..Crate::default() }
    }

    #[test]
    fn what_a_crate_lacks_is_caught() {
        let good = "[lints]\nworkspace = true";
        let bare = Crate { readme: false, examples: 0, ..member("crates/bare", "") };
        let own = member("crates/own", "[lints.rust]\nunsafe_code = 'allow'");
        let binary = Crate { examples: 0, ..member("bins/pipeline", good) };
        let crates = vec![member("crates/good", good), bare, own, binary];
        let map = Some("| `good` | … |\n| `own` | … |".to_owned());
        let mut workspace = Workspace { crates, map, ..Workspace::default() };
        let expected = [
            "crates/bare has no README.md",
            "crates/bare/Cargo.toml: `lints.workspace = true` is missing",
            "crates/bare has no example",
            "crates/README.md has no line on `bare`",
            "crates/own/Cargo.toml: `lints.workspace = true` is missing",
        ];
        assert_eq!(super::crates(&workspace), expected);
        workspace.map = None;
        assert!(super::crates(&workspace)[0].contains("the map of the crates, is missing"));
    }
}
