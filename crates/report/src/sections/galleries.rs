//! The images that the network got wrong, and those that it got right by the least.

use std::collections::BTreeMap;

use askama::Template;
use wick_runs::{PictureSet, PredictionRow};

use super::cards::{Card, card};
use super::missing;
use crate::ReportError;
use crate::format::count;
use crate::frame::Section;
use crate::maps::Origin;
use crate::read::Run;

/// Images shown of a gallery at most: with a dozen of maps each the page stays well under 5 MB.
const MOST: usize = 40;

#[derive(Template)]
#[template(path = "sections/gallery.html")]
struct Gallery<'a> {
    /// Those of the maps that are not what a reader would expect.
    origins: Vec<Origin>,
    title: &'static str,
    cards: &'a [Card],
    /// Number and name of each true class.
    truths: BTreeMap<usize, &'a str>,
    predicted: BTreeMap<usize, &'a str>,
    /// As many pictures as the fullest card has.
    tiles: usize,
}

/// What sets one gallery apart from the other.
struct Kind {
    id: &'static str,
    title: &'static str,
    set: fn(&wick_runs::GalleryImages) -> &PictureSet,
    belongs: fn(&PredictionRow) -> bool,
    /// Said of (shown, all).
    lead: fn(usize, usize, usize) -> String,
}

pub(crate) fn misclassified(run: &Run) -> Result<Section, ReportError> {
    let kind = Kind {
        id: "misclassified",
        title: "Misclassified",
        set: |galleries| &galleries.misclassified,
        belongs: |row| row.truth != row.predicted,
        lead: |shown, of, all| {
            let (of, all) = (count(of as u64), count(all as u64));
            format!("{shown} of the {of} images that the network got wrong, of {all}.")
        },
    };
    section(run, &kind)
}

pub(crate) fn unsure(run: &Run) -> Result<Section, ReportError> {
    let kind = Kind {
        id: "unsure",
        title: "Right, but unsure",
        set: |galleries| &galleries.unsure,
        belongs: |row| row.truth == row.predicted,
        lead: |shown, of, _| format!("The {shown} least sure of the {} right answers.", count(of as u64)),
    };
    section(run, &kind)
}

fn section(run: &Run, kind: &Kind) -> Result<Section, ReportError> {
    let (id, title) = (kind.id, kind.title);
    let gone = |file, stage| Ok(Section { id, title, lead: String::new(), body: missing(file, stage)? });
    let Some(galleries) = &run.galleries else { return gone(&run.dir.gallery(), "misclassified") };
    let Some(predictions) = &run.predictions else { return gone(&run.dir.predictions(), "evaluate") };
    let by_index: BTreeMap<usize, &PredictionRow> = predictions.rows.iter().map(|r| (r.index, r)).collect();
    let mut cards = Vec::new();
    for (index, image) in (kind.set)(galleries).iter() {
        // The set also keeps images that maps were asked for, and may be older than the predictions.
        let row = by_index.get(&index).filter(|row| (kind.belongs)(row));
        if let Some(row) = row.filter(|_| cards.len() < MOST) {
            cards.push(card(id, row, &predictions.class_names, image, &run.maps)?);
        }
    }
    let of = predictions.rows.iter().filter(|row| (kind.belongs)(row)).count();
    let lead = (kind.lead)(cards.len(), of, predictions.rows.len());
    let gallery = Gallery {
        origins: run.origins().into_iter().filter(|origin| !origin.is_usual()).collect(),
        title,
        truths: cards.iter().map(|c| (c.truth, c.truth_name.as_str())).collect(),
        predicted: cards.iter().map(|c| (c.predicted, c.predicted_name.as_str())).collect(),
        tiles: cards.iter().map(|c| c.tiles.len()).max().unwrap_or(1),
        cards: &cards,
    };
    Ok(Section { id, title, lead, body: gallery.render()? })
}
