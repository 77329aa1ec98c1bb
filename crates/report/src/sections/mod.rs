//! The page of one run: one file a section.

mod cards;
mod claims;
mod classes;
mod confusion;
mod curves;
mod galleries;
mod header;
mod looks;
mod lr_finder;
mod manifest;
mod missing;
mod norms;
mod pictures;
mod reliability;
mod results;
mod schedule;
mod texts;

use std::path::PathBuf;

use wick_runs::{Figure, RunDir};

use crate::ReportError;
use crate::frame::{Section, frame};
use crate::read::Run;

pub(crate) use cards::{Answer, Card, Others, card};
pub(crate) use claims::rows as claim_rows;
pub(crate) use galleries::Gallery;
pub(crate) use header::facts as header_facts;
pub(crate) use missing::missing;
pub(crate) use results::{Figures, figures};

/// The page of a run, as HTML. It is the same, byte for byte, for the same files.
///
/// # Errors
/// [`ReportError`] where a file that is there cannot be read or is not what its stage writes. Files that are not there are
/// named in their sections.
pub fn page(run: &RunDir) -> Result<String, ReportError> {
    let run = Run::read(run)?;
    let sections: Vec<Section> = [
        claims::section,
        results::section,
        curves::section,
        classes::section,
        confusion::section,
        reliability::section,
        galleries::misclassified,
        galleries::unsure,
        looks::section,
        lr_finder::section,
        schedule::section,
        norms::section,
        pictures::augmentations,
        pictures::filters,
        texts::recipe,
        manifest::section,
        texts::model,
    ]
    .into_iter()
    .map(|section: fn(&Run) -> Result<Section, ReportError>| section(&run))
    .collect::<Result<_, _>>()?;
    frame(&header::title(&run), &header::header(&run)?, &sections)
}

/// The files of a run that its page is made of, as far as they are there, but for its manifest.
///
/// # Errors
/// [`ReportError::Runs`] where the folder cannot be read.
pub fn inputs(run: &RunDir) -> Result<Vec<PathBuf>, ReportError> {
    let mut files = vec![
        run.recipe_toml(),
        run.claims(),
        run.epochs(),
        run.timing(),
        run.steps(),
        run.norms(),
        run.per_class(),
        run.confusion(),
        run.predictions(),
        run.lr_finder_csv(),
        run.lr_finder_json(),
        run.summary(),
        run.gallery(),
        run.cam_quality(),
        run.figure(Figure::Augmentations),
        run.figure(Figure::Filters),
    ];
    for method in run.cams()? {
        let folder = run.cam(&method)?;
        files.extend([folder.index(), folder.raw(), folder.classes()]);
    }
    files.retain(|file| file.exists());
    Ok(files)
}
