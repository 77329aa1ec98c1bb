//! From a network to the picture of its first filters.

use std::path::{Path, PathBuf};

use anyhow::Result;
use wick_models::Network;
use wick_runs::create_parent;
use wick_viz::{FilterLayout, Filters, FiltersOptions, filters, save_png};

/// Draws the filters of the first convolution and returns the file; of a network whose first convolution does not read red, green and
/// blue, there is nothing to draw.
pub fn draw(network: &Network, path: &Path) -> Result<Option<PathBuf>> {
    let first = network.parameters.all().into_iter().find(|p| p.var.rank() == 4);
    let Some(first) = first else { return Ok(None) };
    let &[height, width, 3, count] = first.var.dims() else { return Ok(None) };
    let weights = first.var.flatten_all()?.to_vec1::<f32>()?;
    let data = Filters { weights: &weights, count, height, width, layout: FilterLayout::Hwio };
    let title = format!("{}: {count} filters of {width}×{height} pixels", first.name);
    create_parent(path)?;
    save_png(&filters(&data, &FiltersOptions { title: Some(title), ..Default::default() })?, path)?;
    Ok(Some(path.to_owned()))
}
