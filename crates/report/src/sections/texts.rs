//! Files that are shown as they are.

use askama::Template;

use super::missing;
use crate::ReportError;
use crate::frame::Section;
use crate::read::Run;

#[derive(Template)]
#[template(path = "sections/text.html")]
struct Text<'a> {
    label: &'static str,
    text: &'a str,
}

pub(crate) fn recipe(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("recipe", "Recipe");
    let Some(recipe) = &run.recipe else {
        return Ok(Section {
            id,
            title,
            lead: String::new(),
            body: missing(&run.dir.recipe_toml(), "prepare")?,
        });
    };
    let lead =
        "Every value, resolved. Saved as a file, it repeats the run: pipeline prepare --recipe FILE.toml."
            .to_owned();
    Ok(Section { id, title, lead, body: Text { label: title, text: &recipe.text }.render()? })
}

pub(crate) fn model(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("model", "Network");
    let body = match &run.summary {
        None => missing(&run.dir.summary(), "summary")?,
        Some(text) => Text { label: title, text }.render()?,
    };
    Ok(Section { id, title, lead: String::new(), body })
}
