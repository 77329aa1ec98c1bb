//! The list of class names beside the data.

use std::io::Read;
use std::path::Path;

use crate::{CifarError, Variant};

/// Far more than a hundred names need; what is longer is no such list.
pub(crate) const LIMIT: u64 = 64 * 1024;

/// Reads one name a line, blank lines apart; there must be one for each class.
pub(crate) fn read(list: impl Read, variant: Variant, path: &Path) -> Result<Vec<String>, CifarError> {
    let mut bytes = Vec::new();
    list.take(LIMIT).read_to_end(&mut bytes).map_err(|source| CifarError::io("read", path, source))?;
    let names = parse(&String::from_utf8_lossy(&bytes));
    check(&names, variant, path)?;
    Ok(names)
}

pub(crate) fn parse(list: &str) -> Vec<String> {
    list.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

pub(crate) fn check(names: &[String], variant: Variant, path: &Path) -> Result<(), CifarError> {
    let (expected, got) = (variant.classes(), names.len());
    if got == expected {
        Ok(())
    } else {
        Err(CifarError::ClassNames { path: path.to_path_buf(), expected, got })
    }
}
