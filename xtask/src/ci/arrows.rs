//! Which crate may use which.

use super::workspace::{Crate, Kind, Workspace, short};

/// Each crate, and the members of the workspace that it may use. What is not here is forbidden.
///
/// Development dependencies are free: a test may check one crate with the help of another.
const ARROWS: &[(&str, &[&str])] = &[
    ("cifar", &[]),
    ("augment", &[]),
    ("metrics", &[]),
    ("kernels", &[]),
    ("viz", &[]),
    ("tensorboard", &[]),
    ("runs", &[]),
    ("gradcam", &[]),
    ("ops", &["kernels"]),
    ("graph", &["kernels"]),
    ("cuda", &["graph", "kernels", "augment"]),
    ("models", &["graph", "ops"]),
    ("optim", &["ops"]),
    ("train", &["cifar", "augment", "cuda", "metrics", "models", "ops", "optim", "runs"]),
    ("report", &["runs", "viz", "metrics"]),
    (
        "pipeline",
        &[
            "cifar",
            "augment",
            "metrics",
            "viz",
            "tensorboard",
            "runs",
            "gradcam",
            "ops",
            "models",
            "optim",
            "train",
            "report",
        ],
    ),
    ("xtask", &["cifar", "metrics", "runs"]),
];

/// What each may use besides where a feature is on that is off by default.
const BY_FEATURE: &[(&str, &str)] = &[("ops", "cuda")];

/// Who may know candle, in tests, too: what is of use without candle is to build and pass its tests without it.
const CANDLE: &[&str] = &["ops", "models", "optim", "gradcam", "train", "pipeline"];

pub(crate) fn members(workspace: &Workspace) -> Vec<String> {
    let is_member = |name: &str| workspace.crates.iter().any(|member| member.name == name);
    let mut broken = Vec::new();
    for member in &workspace.crates {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == member.short()) else {
            broken.push(format!("{} is not in the table of crates", member.folder));
            continue;
        };
        let used = member.dependencies.iter().filter(|dependency| dependency.kind != Some(Kind::Dev));
        for dependency in used.filter(|dependency| is_member(&dependency.name)) {
            let name = dependency.name.as_str();
            let by_feature = dependency.optional && BY_FEATURE.contains(&(member.short(), short(name)));
            if !allowed.contains(&short(name)) && !by_feature {
                let allowed = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
                broken.push(format!("{} uses {name}; it may use: {allowed}", member.folder));
            }
        }
    }
    broken
}

pub(crate) fn candle(workspace: &Workspace) -> Vec<String> {
    let strangers = workspace.crates.iter().filter(|member| !CANDLE.contains(&member.short()));
    let uses = |member: &Crate| -> Vec<String> {
        let names = member.dependencies.iter().map(|dependency| &dependency.name);
        let candle = names.filter(|name| *name == "candle" || name.starts_with("candle-"));
        candle.map(|name| format!("{} depends on {name}", member.folder)).collect()
    };
    strangers.flat_map(uses).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::workspace::Dependency;

    fn member(folder: &str, uses: &[(&str, Option<Kind>)]) -> Crate {
        let name = match folder.rsplit('/').next().unwrap() {
            "xtask" => "xtask".to_owned(),
            short => format!("wick-{short}"),
        };
        let dependencies = uses.iter().map(|(name, kind)| Dependency {
            name: (*name).into(),
            kind: *kind,
            ..Dependency::default()
        });
        Crate { name, folder: folder.into(), dependencies: dependencies.collect(), ..Crate::default() }
    }

    fn workspace(crates: Vec<Crate>) -> Workspace {
        Workspace { crates, ..Workspace::default() }
    }

    #[test]
    fn arrows_of_the_table_are_allowed() {
        let workspace = workspace(vec![
            member("crates/kernels", &[("rayon", None)]),
            member("crates/ops", &[("wick-kernels", None), ("candle-core", None)]),
            member("crates/viz", &[("wick-ops", Some(Kind::Dev))]),
            member("bins/pipeline", &[("wick-ops", None), ("candle-nn", None)]),
        ]);
        assert!(members(&workspace).is_empty() && candle(&workspace).is_empty());
    }

    #[test]
    fn others_are_caught() {
        let workspace = workspace(vec![
            member("crates/kernels", &[("wick-ops", None)]),
            member("crates/ops", &[("wick-kernels", None)]),
            member("crates/cifar", &[("wick-kernels", Some(Kind::Build))]),
            member("crates/surprise", &[]),
            member("xtask", &[("wick-ops", None)]),
        ]);
        assert_eq!(
            members(&workspace),
            [
                "crates/kernels uses wick-ops; it may use: none",
                "crates/cifar uses wick-kernels; it may use: none",
                "crates/surprise is not in the table of crates",
                "xtask uses wick-ops; it may use: cifar, metrics, runs",
            ]
        );
    }

    /// Of `ops`, the GPU is a feature's alone.
    #[test]
    fn what_a_feature_brings_is_allowed_as_such() {
        let mut ops = member("crates/ops", &[("wick-kernels", None), ("wick-cuda", None)]);
        let cuda = || member("crates/cuda", &[]);
        let kernels = || member("crates/kernels", &[]);
        let always = workspace(vec![kernels(), cuda(), ops.clone()]);
        assert_eq!(members(&always), ["crates/ops uses wick-cuda; it may use: kernels"]);
        ops.dependencies[1].optional = true;
        assert!(members(&workspace(vec![kernels(), cuda(), ops])).is_empty());
    }

    #[test]
    fn candle_is_caught_in_tests_too() {
        let workspace = workspace(vec![
            member("crates/metrics", &[("candle-core", Some(Kind::Dev))]),
            member("crates/runs", &[("candle-nn", None), ("candles", None)]),
        ]);
        assert_eq!(
            candle(&workspace),
            ["crates/metrics depends on candle-core", "crates/runs depends on candle-nn"]
        );
    }
}
