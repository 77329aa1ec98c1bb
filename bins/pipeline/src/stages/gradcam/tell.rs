//! What the stage says: to people, and as JSON.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};
use wick_gradcam::MapStatus;
use wick_runs::CamStatus;

use super::images::Images;
use super::maps::{Cams, Explainer};
use super::place::Place;
use super::view::Words;
use super::write;
use crate::terminal::{note, paths, tell};

/// Says which maps say nothing, and why.
pub fn flat(explainer: &Explainer<'_>, cams: &Cams, name: impl Fn(usize) -> String) {
    for status in [MapStatus::AllNegative, MapStatus::Constant, MapStatus::Empty] {
        let rows: Vec<String> =
            (0..cams.maps.len()).filter(|&row| cams.maps[row].status == status).map(&name).collect();
        if rows.is_empty() {
            continue;
        }
        let (place, what) = (cams.view.place_words(), explainer.asked.words(explainer.class_names));
        let why = match status {
            _ if !cams.view.asks_for_a_class() => format!("nothing in {place} stands out"),
            MapStatus::AllNegative => {
                format!("nothing in {place} speaks for {what}, all that there is speaks against it")
            }
            MapStatus::Constant => format!("all places in {place} speak for {what} alike"),
            _ => format!("nothing in {place} speaks for or against {what}"),
        };
        let (title, maps) =
            (cams.view.method.title(), if rows.len() == 1 { "the map is" } else { "the maps are" });
        note(&format!("{}: {title}: {why}; {maps} drawn flat", rows.join(", ")));
    }
}

/// Why a map says nothing, if it does, in a word or two that fit into it.
pub fn nothing(cams: &Cams, row: usize) -> &'static str {
    match cams.maps[row].status {
        _ if !cams.view.asks_for_a_class() => "none stands out",
        MapStatus::AllNegative => "all against",
        MapStatus::Constant => "all alike",
        MapStatus::Empty => "all zero",
        MapStatus::Normal => "flat map",
    }
}

/// A status as files and programs have it.
pub fn status(status: MapStatus) -> CamStatus {
    match status {
        MapStatus::Normal => CamStatus::Normal,
        MapStatus::AllNegative => CamStatus::AllNegative,
        MapStatus::Constant => CamStatus::Constant,
        MapStatus::Empty => CamStatus::Empty,
    }
}

/// Each method with its maps, as JSON.
pub fn methods(explainer: &Explainer<'_>, images: &Images, all: &[Cams]) -> Result<Vec<Value>> {
    let of_method = |all: &[Cams]| {
        let maps = write::rows(explainer, images, all);
        Ok(json!({ "method": all[0].view.method.name(), "maps": serde_json::to_value(maps)? }))
    };
    all.chunk_by(|a, b| a.view.method == b.view.method).map(of_method).collect()
}

/// Names the files; as JSON, what each map holds too.
pub fn done(explainer: &Explainer<'_>, images: &Images, all: &[Cams], files: &[PathBuf]) -> Result<()> {
    let methods = methods(explainer, images, all)?;
    let layers: Vec<String> = explainer.places.iter().map(Place::to_string).collect();
    let value = || {
        json!({
            "layers": layers,
            "target": explainer.asked.words(explainer.class_names),
            "methods": methods,
            "written": paths(files),
        })
    };
    let text = || {
        let title = Words::title(&explainer.words(all), &format!("{} explained", images.words()));
        match layers.len() {
            1 => title,
            _ => format!("{title}, at {}", layers.join(", ")),
        }
    };
    tell(text, files, value)
}
