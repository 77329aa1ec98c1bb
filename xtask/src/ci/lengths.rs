//! Files that one can read in a sitting.

use super::workspace::Workspace;

const MOST_LINES: usize = 400;

/// Longer files, each with the reason why it is not taken apart.
const LONGER: &[(&str, &str)] = &[];

pub(crate) fn too_long(workspace: &Workspace) -> Vec<String> {
    let mut broken = Vec::new();
    for file in &workspace.files {
        let lines = file.text.lines().count();
        let excused = LONGER.iter().any(|(path, _)| *path == file.path);
        if lines > MOST_LINES && !excused {
            broken.push(format!("{} has {lines} lines, at most {MOST_LINES}: one thing each", file.path));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::workspace::SourceFile;

    #[test]
    fn long_files_are_caught() {
        let file = |lines: usize| SourceFile { path: format!("{lines}.rs"), text: "x\n".repeat(lines) };
        let workspace = Workspace { files: vec![file(400), file(401)], ..Workspace::default() };
        assert_eq!(too_long(&workspace), ["401.rs has 401 lines, at most 400: one thing each"]);
    }
}
