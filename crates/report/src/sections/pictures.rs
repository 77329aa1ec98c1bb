//! Pictures that stages drew.

use askama::Template;
use wick_runs::Figure;

use super::missing;
use crate::ReportError;
use crate::frame::Section;
use crate::picture::Picture;
use crate::read::Run;

#[derive(Template)]
#[template(path = "sections/picture.html")]
struct Sheet<'a> {
    picture: &'a Picture,
    alt: &'a str,
    label: &'static str,
}

pub(crate) fn augmentations(run: &Run) -> Result<Section, ReportError> {
    let alt = "Sheet of training images: in each row the original, then what the recipe's augmentation makes of it in several draws";
    let lead = "Training images as they are, and as training sees them.";
    let (id, title) = ("augmentations", "Augmentation");
    section(
        run,
        Figure::Augmentations,
        "preview",
        Section { id, title, lead: lead.to_owned(), body: alt.to_owned() },
    )
}

pub(crate) fn filters(run: &Run) -> Result<Section, ReportError> {
    let alt = "Sheet of the first convolution's filters, each drawn in colour";
    let lead = "What the first convolution looks for.";
    let (id, title) = ("filters", "First-layer filters");
    section(
        run,
        Figure::Filters,
        "evaluate",
        Section { id, title, lead: lead.to_owned(), body: alt.to_owned() },
    )
}

/// The section with the picture in the place of its description.
fn section(run: &Run, figure: Figure, stage: &'static str, like: Section) -> Result<Section, ReportError> {
    let file = run.dir.figure(figure);
    Ok(match Picture::file(&file, stage)? {
        None => Section { lead: String::new(), body: missing(&file, stage)?, ..like },
        Some(picture) => {
            let sheet = Sheet { picture: &picture, alt: &like.body, label: like.title };
            Section { body: sheet.render()?, ..like }
        }
    })
}
