//! What maps are drawn in: as the run's own pictures of them.

use std::path::Path;

use wick_runs::CamIndexRow;
use wick_viz::{Blend, Colormap, HeatMap, OverlayOptions, Photo, heatmap};

use super::Maps;
use super::origin::listed;
use crate::ReportError;
use crate::picture::Picture;

/// A colour map, and whose maps are drawn in it.
pub(crate) struct Legend {
    /// `the maps`, or methods by their names where not all are drawn alike.
    pub of: String,
    pub colormap: &'static str,
    /// All its colours, the lowest on the left.
    pub picture: Picture,
}

/// How the maps of an index were drawn; as usual where it does not say.
pub(super) fn of(rows: &[CamIndexRow], index: &Path) -> Result<OverlayOptions, ReportError> {
    let colormap = rows.iter().find_map(|row| row.colormap.as_deref());
    let blend = rows.iter().find_map(|row| row.blend.as_deref());
    Ok(OverlayOptions {
        colormap: named("colormap", colormap, Colormap::ALL.map(|c| (c.name(), c)), index)?,
        blend: named("blend", blend, Blend::ALL.map(|b| (b.name(), b)), index)?,
        ..OverlayOptions::default()
    })
}

/// That of `name`, or the usual one where none is given.
fn named<T: Copy + Default, const N: usize>(
    what: &str,
    name: Option<&str>,
    known: [(&'static str, T); N],
    index: &Path,
) -> Result<T, ReportError> {
    let Some(name) = name else { return Ok(T::default()) };
    let found = known.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
    found.ok_or_else(|| ReportError::Unfit {
        path: index.to_owned(),
        expected: format!("a {what} among {}", known.map(|(name, _)| name).join(", ")),
        got: format!("`{name}`"),
        stage: "gradcam",
    })
}

/// What each colour says, in the order of the maps.
pub(crate) fn legends(maps: &[&Maps]) -> Result<Vec<Legend>, ReportError> {
    let mut alike: Vec<(Colormap, Vec<&str>)> = Vec::new();
    for Maps { overlay, method, .. } in maps {
        match alike.iter_mut().find(|(other, _)| *other == overlay.colormap) {
            Some((_, methods)) if methods.contains(&method.as_str()) => {}
            Some((_, methods)) => methods.push(method),
            None => alike.push((overlay.colormap, vec![method])),
        }
    }
    let all = alike.len() == 1;
    let legend = |(colormap, methods): (Colormap, Vec<&str>)| {
        let of = if all { "the maps".to_owned() } else { listed(&methods) };
        Ok(Legend { of, colormap: colormap.name(), picture: ramp(colormap)? })
    };
    alike.into_iter().map(legend).collect()
}

fn ramp(colormap: Colormap) -> Result<Picture, ReportError> {
    let ramp: Vec<f32> = (0u8..128).map(f32::from).collect();
    let map = HeatMap::new(&ramp, 1, ramp.len())?;
    Picture::of(Photo::of(&heatmap(map, 1, ramp.len(), colormap)?)?)
}
