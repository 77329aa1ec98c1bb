//! The files of a method.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Result;
use candle_core::{Device, Tensor};
use wick_cifar::{HEIGHT, WIDTH};
use wick_runs::{CamDir, CamIndexRow, write_atomic_by_path, write_rows};
use wick_viz::save_png;

use super::images::Images;
use super::maps::{Cams, Explainer};
use super::pictures;
use crate::interrupt::whole;

/// Writes `index.csv`, `raw.safetensors` and `grid.png` of maps, and returns their paths.
pub fn method(
    explainer: &Explainer<'_>,
    images: &Images,
    cams: &Cams,
    folder: &CamDir,
) -> Result<[PathBuf; 3]> {
    let rows: Vec<CamIndexRow> = (0..images.indices.len())
        .map(|row| CamIndexRow {
            row,
            index: Some(images.indices[row]),
            truth: Some(images.truth[row]),
            predicted: cams.predicted[row],
            probability: cams.probability[row],
            target: explainer.asked.class(cams.predicted[row]),
            method: cams.method.name().to_owned(),
            layer: explainer.layer(),
        })
        .collect();
    let tensors = tensors(explainer, cams)?;
    let picture = pictures::grid(explainer, images, cams)?;
    whole(|| -> Result<()> {
        write_rows(&folder.index(), &rows)?;
        write_atomic_by_path(&folder.raw(), |path| -> Result<()> {
            Ok(candle_core::safetensors::save(&tensors, path)?)
        })?;
        Ok(save_png(&picture, &folder.grid())?)
    })?;
    Ok([folder.index(), folder.raw(), folder.grid()])
}

fn tensors(explainer: &Explainer<'_>, cams: &Cams) -> Result<HashMap<String, Tensor>> {
    let values: Vec<f32> = cams.maps.iter().flat_map(|map| map.values.iter().copied()).collect();
    let heatmap = Tensor::from_vec(values, (cams.maps.len(), HEIGHT, WIDTH), &Device::Cpu)?;
    let raw = match &cams.raw[..] {
        [] => Tensor::zeros((0, HEIGHT, WIDTH), heatmap.dtype(), &Device::Cpu)?,
        [one] => one.contiguous()?,
        _ => heatmap.clone(),
    };
    let mut tensors = HashMap::from([("raw".to_owned(), raw), ("heatmap".to_owned(), heatmap)]);
    if let [_, _, ..] = cams.raw[..] {
        for (layer, raw) in explainer.layers.iter().zip(&cams.raw) {
            tensors.insert(layer.clone(), raw.contiguous()?);
        }
    }
    Ok(tensors)
}
