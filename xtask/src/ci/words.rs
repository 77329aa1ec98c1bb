//! Words that belong in few places.

use super::lexer::{Kind, pieces};
use super::workspace::{SourceFile, Workspace};

/// `unsafe` stands only where its reasons are looked after.
pub(crate) fn unsafe_code(workspace: &Workspace) -> Vec<String> {
    outside(&workspace.files, "unsafe", &["crates/kernels/", "crates/ops/", "crates/cuda/"])
}

/// `cudarc` is named only by `cuda`: all others reach a GPU through it.
pub(crate) fn cuda_bindings(workspace: &Workspace) -> Vec<String> {
    let mut broken = outside(&workspace.files, "cudarc", &["crates/cuda/"]);
    for member in workspace.crates.iter().filter(|member| member.folder != "crates/cuda") {
        if member.dependencies.iter().any(|dependency| dependency.name == "cudarc") {
            broken.push(format!("{}/Cargo.toml: cudarc is for crates/cuda to use", member.folder));
        }
    }
    broken
}

fn outside(files: &[SourceFile], word: &str, folders: &[&str]) -> Vec<String> {
    let files = files.iter().filter(|file| !folders.iter().any(|folder| file.path.starts_with(folder)));
    files
        .flat_map(|file| {
            let found =
                pieces(&file.text).into_iter().filter(|piece| piece.kind == Kind::Word && piece.text == word);
            found.map(|piece| format!("{}:{}: {word}", file.path, piece.line)).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::workspace::{Crate, Dependency};

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.into(), text: text.into() }
    }

    #[test]
    fn unsafe_is_caught_in_code_alone() {
        let code = "// unsafe\n#![deny(unsafe_code)]\nlet s = \"unsafe\";\nunsafe { f() }\n";
        let paths = ["viz", "kernels", "cuda", "opsy"].map(|name| format!("crates/{name}/src/lib.rs"));
        let files = paths.iter().map(|path| file(path, code)).collect();
        let workspace = Workspace { files, ..Workspace::default() };
        assert_eq!(
            unsafe_code(&workspace),
            ["crates/viz/src/lib.rs:4: unsafe", "crates/opsy/src/lib.rs:4: unsafe"]
        );
    }

    #[test]
    fn cudarc_is_caught_in_code_and_manifests() {
        let code = "use candle_core::cuda_backend::cudarc;";
        let member = |folder: &str| {
            let dependencies = vec![Dependency { name: "cudarc".into(), ..Dependency::default() }];
            Crate { folder: folder.into(), dependencies, ..Crate::default() }
        };
        let workspace = Workspace {
            files: vec![file("crates/cuda/src/error.rs", code), file("crates/train/src/lib.rs", code)],
            crates: vec![member("crates/cuda"), member("crates/ops")],
            ..Workspace::default()
        };
        assert_eq!(
            cuda_bindings(&workspace),
            ["crates/train/src/lib.rs:1: cudarc", "crates/ops/Cargo.toml: cudarc is for crates/cuda to use"]
        );
    }
}
