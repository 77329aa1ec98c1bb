//! One image of a gallery: the picture, its maps, what the network said.

use wick_runs::{CamIndexRow, CamStatus, PredictionRow};
use wick_viz::{HeatMap, Photo, overlay};

use crate::ReportError;
use crate::format::{capital, class_name, percent1, share};
use crate::maps::{Map, Maps, layer_place, strongest, target};
use crate::picture::Picture;

/// Classes whose probabilities are told.
const LIKELIEST: usize = 5;
/// Height and width of the images.
const SIDE: usize = wick_runs::PICTURE_SIDE;

/// An image with all that is shown of it.
pub(crate) struct Card {
    /// Unique in the page.
    pub id: String,
    pub index: usize,
    pub truth: usize,
    pub predicted: usize,
    pub truth_name: String,
    pub predicted_name: String,
    pub confidence: String,
    pub tiles: Vec<Tile>,
    pub likeliest: Vec<Likely>,
    /// What other runs say of it.
    pub answers: Vec<Answer>,
    pub others: Others,
}

impl Card {
    /// Bytes that its pictures take in the page.
    pub(crate) fn bytes(&self) -> usize {
        self.tiles.iter().filter_map(|tile| tile.picture.as_ref()).map(Picture::bytes).sum()
    }
}

/// What another run says of an image.
pub(crate) struct Answer {
    pub run: String,
    /// How the style sheet knows the run.
    pub class: String,
    pub said: String,
    pub confidence: String,
    /// `right` or `wrong`.
    pub verdict: &'static str,
}

/// Whether any other run gets an image right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// There is none that was judged by it.
    Unknown,
    Right,
    Wrong,
}

impl Others {
    /// How the filter knows it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Right => "right",
            Self::Wrong => "wrong",
        }
    }
}

/// A picture with its name; or a name, and why there is no picture.
pub(crate) struct Tile {
    pub name: String,
    pub picture: Option<Picture>,
    /// What the picture shows; without one, why.
    pub alt: String,
}

pub(crate) struct Likely {
    pub name: String,
    pub probability: String,
    /// How long the bar is.
    pub share: String,
    /// `true` of the true class, else empty.
    pub class: &'static str,
}

/// The card of an image, from its bytes.
pub(crate) fn card(
    prefix: &str,
    row: &PredictionRow,
    names: &[String],
    image: &[u8],
    methods: &[Maps],
) -> Result<Card, ReportError> {
    let name = |class: usize| class_name(names, class);
    let (truth_name, predicted_name) = (name(row.truth), name(row.predicted));
    let confidence = percent1(row.confidence().into());
    let said = if row.is_right() {
        format!("recognised at {confidence}")
    } else {
        format!("taken for {predicted_name} at {confidence}")
    };
    let what = format!("image {}, {truth_name}, {said}", row.index);
    let photo = Photo::new(image, SIDE, SIDE)?;
    let mut tiles =
        vec![Tile { name: "image".to_owned(), picture: Some(Picture::of(photo)?), alt: capital(&what) }];
    for method in methods {
        let Some(map_row) = method.row(row.index) else { continue };
        let (picture, alt) = match method.map(map_row, SIDE)? {
            Map::Flat => (None, nothing(map_row, &name)),
            Map::Drawn(map) => {
                let alt = format!(
                    "{what}, under its {} of {}{}: strongest {}",
                    method.method,
                    layer_place(&map_row.layer),
                    target(map_row, &name),
                    place(strongest(&map, SIDE))
                );
                let drawn = overlay(photo, HeatMap::new(&map, SIDE, SIDE)?, &method.overlay)?;
                (Some(Picture::of(Photo::of(&drawn)?)?), capital(&alt))
            }
        };
        let is_predicted = map_row.target.is_none_or(|class| class == row.predicted);
        let name = match is_predicted && map_row.against.is_none() {
            true => method.name.clone(),
            false => format!("{}{}", method.name, target(map_row, &name)),
        };
        // The one word that is wider than a picture on a phone, or on paper.
        let name = name.replace("backpropagation", "back\u{ad}propa\u{ad}gation");
        tiles.push(Tile { name, picture, alt });
    }
    Ok(Card {
        id: format!("{prefix}-{}", row.index),
        index: row.index,
        truth: row.truth,
        predicted: row.predicted,
        truth_name,
        predicted_name,
        confidence,
        tiles,
        likeliest: likeliest(row, &name),
        answers: Vec::new(),
        others: Others::Unknown,
    })
}

fn likeliest(row: &PredictionRow, name: &impl Fn(usize) -> String) -> Vec<Likely> {
    let mut order: Vec<(usize, f32)> = row.probabilities.iter().copied().enumerate().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let likely = |(class, probability): (usize, f32)| Likely {
        name: name(class),
        probability: percent1(probability.into()),
        share: share(probability.into()),
        class: if class == row.truth { "true" } else { "" },
    };
    order.into_iter().take(LIKELIEST).map(likely).collect()
}

/// Why there is no map to draw.
fn nothing(row: &CamIndexRow, name: &impl Fn(usize) -> String) -> String {
    let (place, target) = (layer_place(&row.layer), target(row, name));
    if target.is_empty() {
        return format!("nothing in {place} stands out");
    }
    let class = target.replacen(" for ", "", 1);
    match row.status {
        CamStatus::AllNegative => {
            format!("no part of {place} speaks for {class}, some speak against it")
        }
        CamStatus::Constant => format!("all parts of {place} speak for {class} alike"),
        _ => format!("nothing in {place} speaks for {class}"),
    }
}

fn place(part: &str) -> String {
    match part {
        "middle" => "in the middle".to_owned(),
        part => format!("at the {part}"),
    }
}
