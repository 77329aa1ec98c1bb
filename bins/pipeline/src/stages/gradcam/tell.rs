//! What the stage says: to people, and as JSON.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};
use wick_gradcam::MapStatus;

use super::images::Images;
use super::maps::{Cams, Explainer};
use crate::terminal::{note, paths, tell};

/// Says which maps say nothing, and why.
pub fn flat(explainer: &Explainer<'_>, cams: &Cams, name: impl Fn(usize) -> String) {
    for status in [MapStatus::AllNegative, MapStatus::Constant, MapStatus::Empty] {
        let rows: Vec<String> =
            (0..cams.maps.len()).filter(|&row| cams.maps[row].status == status).map(&name).collect();
        if rows.is_empty() {
            continue;
        }
        let (layer, what) = (explainer.layer(), explainer.asked.words(explainer.class_names));
        let why = match status {
            MapStatus::AllNegative => {
                format!("nothing in {layer} speaks for {what}, all that there is speaks against it")
            }
            MapStatus::Constant => format!("all places in {layer} speak for {what} alike"),
            _ => format!("nothing in {layer} speaks for or against {what}"),
        };
        let (title, maps) =
            (cams.method.title(), if rows.len() == 1 { "the map is" } else { "the maps are" });
        note(&format!("{}: {title}: {why}; {maps} drawn flat", rows.join(", ")));
    }
}

/// A status as programs read it.
pub fn status(status: MapStatus) -> &'static str {
    match status {
        MapStatus::Normal => "normal",
        MapStatus::AllNegative => "all_negative",
        MapStatus::Constant => "constant",
        MapStatus::Empty => "empty",
    }
}

/// Names the files; as JSON, what each map holds too.
pub fn done(explainer: &Explainer<'_>, images: &Images, all: &[Cams], files: &[PathBuf]) -> Result<()> {
    let maps = |cams: &Cams| -> Vec<Value> {
        let map = |(row, &index): (usize, &usize)| {
            json!({
                "index": index,
                "true": images.truth[row],
                "predicted": cams.predicted[row],
                "probability": cams.probability[row],
                "target": explainer.asked.class(cams.predicted[row]),
                "status": status(cams.maps[row].status),
            })
        };
        images.indices.iter().enumerate().map(map).collect()
    };
    let value = || {
        let method = |cams: &Cams| json!({ "method": cams.method.name(), "maps": maps(cams) });
        json!({
            "layers": explainer.layers,
            "target": explainer.asked.words(explainer.class_names),
            "methods": all.iter().map(method).collect::<Vec<_>>(),
            "written": paths(files),
        })
    };
    let text = || {
        let n = images.indices.len();
        format!("{n} image{} explained for {}", if n == 1 { "" } else { "s" }, explainer.words())
    };
    tell(text, files, value)
}
