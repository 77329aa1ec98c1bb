//! The images that the network got wrong, and those that it got right by the least.

use std::collections::BTreeMap;

use askama::Template;
use wick_runs::{PictureSet, PredictionRow};

use super::cards::{Card, Others, card};
use super::missing;
use crate::ReportError;
use crate::format::count;
use crate::frame::Section;
use crate::maps::{Legend, Maps, Origin, legends};
use crate::read::Run;

/// Images shown of a gallery at most.
const MOST: usize = 40;
/// Bytes of a gallery's pictures at most, so that with a dozen of maps each the page stays under 5 MB.
const MOST_BYTES: usize = 1_250_000;

#[derive(Template)]
#[template(path = "sections/gallery.html")]
pub(crate) struct Gallery<'a> {
    /// Those of the maps that are not what a reader would expect.
    origins: Vec<Origin>,
    title: &'a str,
    /// Those with maps, then those without.
    parts: Vec<Part<'a>>,
    shown: usize,
    /// Number and name of each true class.
    truths: BTreeMap<usize, &'a str>,
    predicted: BTreeMap<usize, &'a str>,
    /// Whether what other runs say is told.
    others: Others,
    /// The colours of its maps; none where no card has a map.
    legends: Vec<Legend>,
}

/// Cards that are as wide as each other.
struct Part<'a> {
    cards: Vec<&'a Card>,
    /// Pictures beside each other on a card, on a wide page and on a narrow one.
    columns: [usize; 2],
    /// Whether they have none but the image, and how to get maps is told.
    lacks_maps: bool,
}

impl<'a> Part<'a> {
    /// Of those that have maps, or of those that lack them; none where there are no such cards.
    fn of(cards: &'a [Card], lacks_maps: bool) -> Option<Self> {
        let cards: Vec<&Card> = cards.iter().filter(|card| (card.tiles.len() == 1) == lacks_maps).collect();
        let tiles = cards.iter().map(|card| card.tiles.len()).max()?;
        Some(Self { cards, columns: [WIDE, NARROW].map(|range| columns(tiles, range)), lacks_maps })
    }
}

impl<'a> Gallery<'a> {
    /// Of cards with these maps.
    pub(crate) fn of(title: &'a str, cards: &'a [Card], maps: &[Maps]) -> Result<Self, ReportError> {
        let is_told = |card: &&Card| card.others != Others::Unknown;
        Ok(Self {
            origins: Vec::new(),
            title,
            truths: cards.iter().map(|c| (c.truth, c.truth_name.as_str())).collect(),
            predicted: cards.iter().map(|c| (c.predicted, c.predicted_name.as_str())).collect(),
            others: cards.iter().find(is_told).map_or(Others::Unknown, |card| card.others),
            legends: legends(&shown_of(maps, cards))?,
            parts: [false, true].into_iter().filter_map(|lacks_maps| Part::of(cards, lacks_maps)).collect(),
            shown: cards.len(),
        })
    }

    pub(crate) fn html(&self) -> Result<String, ReportError> {
        Ok(self.render()?)
    }
}

/// Those of the maps that a card shows.
fn shown_of<'a>(maps: &'a [Maps], cards: &[Card]) -> Vec<&'a Maps> {
    maps.iter().filter(|maps| cards.iter().any(|card| maps.row(card.index).is_some())).collect()
}

/// How many pictures may stand beside each other, by the width of the page.
const WIDE: (usize, usize) = (4, 6);
const NARROW: (usize, usize) = (3, 4);

/// So many that the last row has the fewest gaps; of equals the most.
fn columns(tiles: usize, (least, most): (usize, usize)) -> usize {
    let gaps = |columns: &usize| tiles.div_ceil(*columns) * columns - tiles;
    if tiles <= most { tiles.max(2) } else { (least..=most).rev().min_by_key(gaps).unwrap_or(most) }
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
        belongs: |row| !row.is_right(),
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
        belongs: |row| row.is_right(),
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
    let mut cards: Vec<Card> = Vec::new();
    let (mut bytes, mut left_out) = (0, Vec::new());
    for (index, image) in (kind.set)(galleries).iter() {
        // The set may be older than the predictions.
        let row = by_index.get(&index).filter(|row| (kind.belongs)(row));
        let Some(row) = row else { continue };
        if let Some(limit) = Limit::reached(cards.len(), bytes) {
            left_out.push(limit);
            continue;
        }
        let card = card(id, row, &predictions.class_names, image, &run.maps)?;
        bytes += card.bytes();
        cards.push(card);
    }
    let of = predictions.rows.iter().filter(|row| (kind.belongs)(row)).count();
    let mut lead = (kind.lead)(cards.len(), of, predictions.rows.len());
    if let Some(limit) = left_out.first() {
        let more = count(left_out.len() as u64);
        lead += &format!(" The run has pictures of {more} more{}.", limit.words());
    }
    let origins = run
        .origins_of(&shown_of(&run.maps, &cards))
        .into_iter()
        .filter(|origin| !origin.is_usual())
        .collect();
    let gallery = Gallery { origins, ..Gallery::of(title, &cards, &run.maps)? };
    Ok(Section { id, title, lead, body: gallery.html()? })
}

/// Why a gallery shows no more of what the run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// It has as many images as one looks at.
    Number,
    /// Its pictures take as much room as there is.
    Size,
}

impl Limit {
    /// That of a gallery with so many images, whose pictures take so many bytes.
    fn reached(images: usize, bytes: usize) -> Option<Self> {
        // Maps of one image take about as much room as those of another.
        let next = bytes / images.max(1);
        match () {
            () if images >= MOST => Some(Self::Number),
            () if bytes + next > MOST_BYTES => Some(Self::Size),
            () => None,
        }
    }

    /// At the end of a sentence about what is left out.
    fn words(self) -> String {
        match self {
            Self::Number => format!("; this page shows {MOST} at most"),
            Self::Size => ", which would make this page too large".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gallery_ends_by_its_number_or_its_size() {
        let reached = [(0, 0), (39, 39), (40, 40), (10, MOST_BYTES), (20, MOST_BYTES / 21 * 20)];
        let reached = reached.map(|(images, bytes)| Limit::reached(images, bytes));
        assert_eq!(reached, [None, None, Some(Limit::Number), Some(Limit::Size), None]);
    }

    #[test]
    fn rows_of_pictures_are_full_or_nearly() {
        let of = |range| [1, 2, 3, 4, 5, 6, 7, 8, 9, 12].map(|tiles| columns(tiles, range));
        assert_eq!(of(WIDE), [2, 2, 3, 4, 5, 6, 4, 4, 5, 6]);
        assert_eq!(of(NARROW), [2, 2, 3, 4, 3, 3, 4, 4, 3, 4]);
    }
}
