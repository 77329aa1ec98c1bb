//! What maps are drawn in: as the run's own pictures of them.

use std::path::Path;

use wick_runs::CamIndexRow;
use wick_viz::{Colormap, HeatMap, Photo, heatmap};

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

/// What the maps of an index were drawn in; the usual colours where it does not say.
pub(super) fn of(rows: &[CamIndexRow], index: &Path) -> Result<Colormap, ReportError> {
    let Some(name) = rows.iter().find_map(|row| row.colormap.as_deref()) else {
        return Ok(Colormap::default());
    };
    let known = Colormap::ALL.into_iter().find(|colormap| colormap.name() == name);
    known.ok_or_else(|| ReportError::Unfit {
        path: index.to_owned(),
        expected: format!("a colormap among {}", Colormap::ALL.map(Colormap::name).join(", ")),
        got: format!("`{name}`"),
        stage: "gradcam",
    })
}

/// What each colour says, in the order of the maps.
pub(crate) fn legends(maps: &[Maps]) -> Result<Vec<Legend>, ReportError> {
    let mut alike: Vec<(Colormap, Vec<&str>)> = Vec::new();
    for Maps { colormap, method, .. } in maps {
        match alike.iter_mut().find(|(other, _)| other == colormap) {
            Some((_, methods)) if methods.contains(&method.as_str()) => {}
            Some((_, methods)) => methods.push(method),
            None => alike.push((*colormap, vec![method])),
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
