//! The files of a method.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Result;
use candle_core::{Device, Tensor};
use wick_cifar::{HEIGHT, WIDTH};
use wick_runs::{CamDir, CamIndexRow, CamWeights, write_atomic_by_path, write_rows};
use wick_viz::save_png;

use super::images::Images;
use super::maps::{Cams, Explainer};
use super::pictures;
use super::tell::status;
use crate::interrupt::whole;

/// Writes `index.csv`, `raw.safetensors` and `grid.png` of a method's maps, made by these weights, and returns their paths.
pub fn method(
    explainer: &Explainer<'_>,
    images: &Images,
    all: &[Cams],
    weights: &CamWeights,
    folder: &CamDir,
) -> Result<[PathBuf; 3]> {
    let rows = rows(explainer, images, all);
    let tensors = tensors(all)?;
    let picture = pictures::grid(explainer, images, all)?;
    whole(|| -> Result<()> {
        write_rows(&folder.index(), &rows)?;
        write_atomic_by_path(&folder.raw(), |path| -> Result<()> {
            Ok(safetensors::serialize_to_file(&tensors, Some(weights.metadata()), path)?)
        })?;
        Ok(save_png(&picture, &folder.grid())?)
    })?;
    Ok([folder.index(), folder.raw(), folder.grid()])
}

/// What there is to know of each map of a method: of all images at one place, then at the next.
pub fn rows(explainer: &Explainer<'_>, images: &Images, all: &[Cams]) -> Vec<CamIndexRow> {
    let maps = all.iter().flat_map(|cams| (0..cams.maps.len()).map(move |row| (cams, row)));
    let row = |(row, (cams, image)): (usize, (&Cams, usize))| {
        let (view, predicted) = (&cams.view, cams.predicted[image]);
        let asks = view.asks_for_a_class();
        CamIndexRow {
            row,
            index: images.indices.get(image).copied(),
            truth: images.truth.get(image).copied(),
            predicted,
            probability: cams.probability[image],
            target: asks.then(|| explainer.asked.class(predicted)),
            against: explainer.asked.against().filter(|_| asks),
            method: view.method.name().to_owned(),
            layer: view.layer(),
            smoothing: view.smoothing(&explainer.options),
            status: status(cams.maps[image].status),
            colormap: Some(explainer.overlay.colormap.name().to_owned()),
            blend: Some(explainer.overlay.blend.name().to_owned()),
        }
    };
    maps.enumerate().map(row).collect()
}

fn tensors(all: &[Cams]) -> Result<HashMap<String, Tensor>> {
    let maps = || all.iter().flat_map(|cams| &cams.maps);
    let values: Vec<f32> = maps().flat_map(|map| map.values.iter().copied()).collect();
    let heatmap = Tensor::from_vec(values, (maps().count(), HEIGHT, WIDTH), &Device::Cpu)?;
    let layers = || all.iter().flat_map(|cams| cams.view.place.layers().iter().zip(&cams.raw));
    let one = layers().count() == 1;
    let name = |layer: &String| if one { "raw".to_owned() } else { layer.clone() };
    let raw = layers().map(|(layer, raw)| Ok((name(layer), raw.contiguous()?)));
    let mut tensors = raw.collect::<Result<HashMap<_, _>>>()?;
    tensors.insert("heatmap".to_owned(), heatmap);
    Ok(tensors)
}
