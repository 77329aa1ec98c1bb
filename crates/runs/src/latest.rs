//! `latest`: which run of a recipe is the newest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::write::sync_folder;
use crate::{RunsError, write_atomic};

pub(crate) const LATEST: &str = "latest";

/// Points `<recipe>/latest` at the run named `name`: a relative symbolic link, so that the folder can be moved;
/// where links cannot be made, a text file holding the name.
pub(crate) fn point(recipe: &Path, name: &str) -> Result<(), RunsError> {
    let latest = recipe.join(LATEST);
    if link(recipe, name, &latest).is_ok() {
        sync_folder(recipe);
        return Ok(());
    }
    write_atomic(&latest, format!("{name}\n").as_bytes())
}

#[cfg(unix)]
fn link(recipe: &Path, name: &str, latest: &Path) -> io::Result<()> {
    // A link cannot be replaced in place, but another can be renamed over it.
    let beside = recipe.join(format!(".{LATEST}.{}.{name}", std::process::id()));
    std::os::unix::fs::symlink(name, &beside)?;
    fs::rename(&beside, latest).inspect_err(|_| drop(fs::remove_file(&beside)))
}

#[cfg(not(unix))]
fn link(_recipe: &Path, _name: &str, _latest: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The run that `latest` (a link or a text file) points at.
pub(crate) fn follow(latest: &Path) -> Result<PathBuf, RunsError> {
    let read = |error| RunsError::io("read", latest)(error);
    let recipe = latest.parent().unwrap_or(Path::new(""));
    let kind = fs::symlink_metadata(latest).map_err(read)?.file_type();
    if kind.is_symlink() {
        return Ok(recipe.join(fs::read_link(latest).map_err(read)?));
    }
    if kind.is_dir() {
        return Ok(latest.to_owned());
    }
    let name = fs::read_to_string(latest).map_err(read)?;
    Ok(recipe.join(name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_replaced_and_relative() {
        let folder = tempfile::tempdir().unwrap();
        let latest = folder.path().join(LATEST);
        for name in ["one", "two"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            point(folder.path(), name).unwrap();
            assert_eq!(follow(&latest).unwrap(), folder.path().join(name));
        }
        #[cfg(unix)]
        assert_eq!(fs::read_link(&latest).unwrap(), Path::new("two"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_text_file_serves_where_links_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let latest = folder.path().join(LATEST);
        fs::write(&latest, "one\n").unwrap();
        assert_eq!(follow(&latest).unwrap(), folder.path().join("one"));
    }
}
