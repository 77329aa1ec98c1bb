//! The names of a run's files are known to `wick-runs` alone.

use std::path::PathBuf;

use wick_runs::{ComparisonDir, Figure, RunDir};

use super::lexer::{Kind, Piece, pieces};
use super::workspace::Workspace;

/// No string in another crate's sources holds the name of a file in a run folder. Tests, examples and comments may.
pub(crate) fn named_elsewhere(workspace: &Workspace) -> Vec<String> {
    let names = match names() {
        Ok(names) => names,
        Err(error) => return vec![format!("the names could not be had: {error:#}")],
    };
    let mut broken = Vec::new();
    for file in &workspace.files {
        let Some((folder, inner)) = file.path.split_once("/src/") else { continue };
        if folder == "crates/runs" || is_test(inner) {
            continue;
        }
        let pieces = pieces(&file.text);
        for piece in before_tests(&pieces).iter().filter(|piece| piece.kind == Kind::Text) {
            if let Some(name) = names.iter().find(|name| parts(piece.text).any(|part| part == name.as_str()))
            {
                broken.push(format!("{}:{}: \"{name}\" is for wick-runs to name", file.path, piece.line));
            }
        }
    }
    broken
}

/// The names, as `wick-runs` itself gives them.
fn names() -> anyhow::Result<Vec<String>> {
    let scratch = tempfile::tempdir()?;
    let run = RunDir::at(scratch.path())?;
    let cam = run.cam("any")?;
    let comparison = ComparisonDir::names_below(scratch.path());
    let mut paths: Vec<PathBuf> = vec![
        run.recipe_toml(),
        run.manifest(),
        run.summary(),
        run.data(),
        run.lr_finder_csv(),
        run.lr_finder_json(),
        run.epochs(),
        run.timing(),
        run.steps(),
        run.norms(),
        run.best(),
        run.last(),
        run.last_optim(),
        run.last_state(),
        run.predictions(),
        run.per_class(),
        run.confusion(),
        cam.index(),
        cam.raw(),
        cam.grid(),
        cam.classes(),
        run.cam_methods(),
        run.cam_quality(),
        run.report(),
        run.claims(),
        comparison.csv(),
        comparison.json(),
        comparison.figure(),
        comparison.figure_svg(),
    ];
    paths.extend(Figure::ALL.map(|figure| run.figure(figure)));
    paths.extend(Figure::CHARTS.map(|figure| run.figure_svg(figure)));
    let names = paths.iter().filter_map(|path| path.file_name());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// What stands between characters that no file name here has.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || "._-".contains(c))).map(|part| part.trim_end_matches('.'))
}

fn is_test(inner: &str) -> bool {
    inner.ends_with("tests.rs")
        || inner.contains("tests/")
        || inner.rsplit('/').next().is_some_and(|name| name.starts_with("test_"))
}

/// The pieces before `#[cfg(test)] mod … {`, which ends a file.
fn before_tests<'a, 'b>(pieces: &'b [Piece<'a>]) -> &'b [Piece<'a>] {
    let begins = |window: &[Piece<'_>]| {
        let texts: Vec<_> = window.iter().map(|piece| piece.text).collect();
        matches!(texts.as_slice(), ["#", "[", "cfg", "(", "test", ")", "]", "mod", _, "{"])
    };
    let end = pieces.windows(10).position(begins).unwrap_or(pieces.len());
    pieces.get(..end).unwrap_or(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::workspace::SourceFile;

    fn broken(path: &str, text: &str) -> Vec<String> {
        let files = vec![SourceFile { path: path.into(), text: text.into() }];
        named_elsewhere(&Workspace { files, ..Workspace::default() })
    }

    #[test]
    fn names_in_strings_are_caught() {
        let code = "\nlet a = run.join(\"epochs.csv\");\nlet b = format!(\"{root}/checkpoints/last.state.json\");\n\
            let c = \"see claims.json.\";\nlet d = \"curves.png\";";
        let expected = [
            "crates/train/src/lib.rs:2: \"epochs.csv\" is for wick-runs to name",
            "crates/train/src/lib.rs:3: \"last.state.json\" is for wick-runs to name",
            "crates/train/src/lib.rs:4: \"claims.json\" is for wick-runs to name",
            "crates/train/src/lib.rs:5: \"curves.png\" is for wick-runs to name",
        ];
        assert_eq!(broken("crates/train/src/lib.rs", code), expected);
        assert!(broken("crates/runs/src/lib.rs", code).is_empty());
    }

    #[test]
    fn tests_examples_comments_and_other_names_are_free() {
        let code = "const A: &str = \"epochs.csv\";";
        for path in
            ["crates/train/tests/resume.rs", "crates/train/examples/a.rs", "crates/train/src/a/tests.rs"]
        {
            assert!(broken(path, code).is_empty(), "{path}");
        }
        for code in [
            "//! `epochs.csv`",
            "let a = \"my-epochs.csv\"; let b = \"epochs.csvx\"; let c = \"epochs\";",
            "fn f() {}\n#[cfg(test)]\nmod tests {\n    const A: &str = \"epochs.csv\";\n}",
        ] {
            assert!(broken("crates/train/src/lib.rs", code).is_empty(), "{code}");
        }
        let module_elsewhere = "#[cfg(test)]\nmod tests;\nconst A: &str = \"epochs.csv\";";
        assert_eq!(broken("crates/train/src/lib.rs", module_elsewhere).len(), 1);
    }
}
