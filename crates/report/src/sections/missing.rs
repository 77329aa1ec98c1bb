//! What stands in the place of a section whose file is not there.

use std::path::Path;

use askama::Template;

use crate::ReportError;

#[derive(Template)]
#[template(path = "missing.html")]
struct Missing<'a> {
    file: &'a str,
    stage: &'static str,
}

/// Names the file that is not there, and the stage that writes it.
pub(crate) fn missing(file: &Path, stage: &'static str) -> Result<String, ReportError> {
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    Ok(Missing { file: &name, stage }.render()?)
}
