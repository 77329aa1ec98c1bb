//! How well methods explain: `--evaluate`.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use candle_core::{Device, Tensor};
use serde_json::json;
use wick_cifar::{HEIGHT, WIDTH};
use wick_gradcam::Method;
use wick_gradcam::quality::{
    ConfidenceOptions, CurveOptions, RoadOptions, Samples, average_drop, confidence, deletion,
    increase_in_confidence, insertion, random_map, road,
};
use wick_runs::{CamQualityRow, RunDir, write_rows};
use wick_train::Logits;

use super::images::Images;
use super::maps::Explainer;
use super::table;
use super::target::Asked;
use crate::progress::counting;
use crate::terminal::{paths, tell};

/// Steps of the deletion and insertion curves: 64 pixels each.
const STEPS: usize = 16;
/// Images that go through the network at once.
const BATCH: usize = 128;
/// Keys random maps, and the noise on what ROAD fills in.
const SEED: u64 = 0;

/// Some images of which means are told.
pub struct Group {
    /// As in the table on disk.
    pub name: &'static str,
    pub images: Images,
}

/// Measures each method and random maps over each group by what `network` says, and writes and tells the table.
pub fn run(
    mut network: Box<dyn Logits>,
    explainer: &Explainer<'_>,
    methods: &[Method],
    groups: &[Group],
    dir: &RunDir,
) -> Result<Vec<PathBuf>> {
    if let Asked::Difference(..) = explainer.asked {
        bail!(
            "--evaluate watches the probability of a class, and --target names the difference of two; name one class"
        );
    }
    let images: usize = groups.iter().map(|g| g.images.indices.len()).sum();
    ensure!(images > 0, "there is no image to measure maps of: none was judged, or --indices names none");
    let views = explainer.views(methods);
    let mut bar = counting("measuring", images * (views.len() + 1), "maps");
    let mut done = 0;
    let mut rows = Vec::new();
    for group in groups.iter().filter(|g| !g.images.indices.is_empty()) {
        let mut predicted = None;
        for view in &views {
            bar.rename(view.title(), done);
            // To explain counts for half of it, to measure for the rest.
            let cams = explainer.explain(view, &group.images, &mut |images| bar.at(done + images / 2))?;
            let maps = cams.maps.iter().map(|map| map.values.clone()).collect();
            let measured = measure(explainer, network.as_mut(), group, &cams.predicted, maps)?;
            done += measured.count;
            bar.at(done);
            let (method, layer, flat) = (view.method.name().to_owned(), view.layer(), cams.flat());
            rows.push(CamQualityRow { method, layer, flat, ..measured });
            predicted.get_or_insert(cams.predicted);
        }
        let Some(predicted) = predicted else { continue };
        bar.rename("random maps", done);
        let maps = group.images.indices.iter().map(|&i| random_map(SEED, i, HEIGHT * WIDTH)).collect();
        let measured = measure(explainer, network.as_mut(), group, &predicted, maps)?;
        done += measured.count;
        bar.at(done);
        rows.push(CamQualityRow { method: CamQualityRow::RANDOM.to_owned(), ..measured });
    }
    drop(bar);
    write_rows(&dir.cam_quality(), &rows)?;
    let written = vec![dir.cam_quality()];
    let explained = explainer.asked.words(explainer.class_names);
    let value = || json!({ "target": explained, "quality": rows, "written": paths(&written) });
    tell(|| table::of(&rows, &explained), &written, value)?;
    Ok(written)
}

/// The figures of some maps over one group, their method and layer left open.
fn measure(
    explainer: &Explainer<'_>,
    network: &mut dyn Logits,
    group: &Group,
    predicted: &[usize],
    maps: Vec<Vec<f32>>,
) -> Result<CamQualityRow> {
    let classes: Vec<u32> = predicted.iter().map(|&p| explainer.asked.class(p) as u32).collect();
    let samples = Samples::new(&explainer.tensor(&group.images.bytes)?, &maps, &classes)?;
    let mut model = |x: &Tensor| -> candle_core::Result<Tensor> {
        let logits = network.logits(x).map_err(candle_core::Error::wrap)?;
        let shape = (x.dim(0)?, logits.len() / x.dim(0)?);
        Tensor::from_vec(logits, shape, &Device::Cpu)
    };
    let curves = |usual: CurveOptions| CurveOptions { steps: STEPS, batch_size: BATCH, ..usual };
    let areas = |curves: Vec<wick_gradcam::quality::Curve>| mean(curves.iter().map(|c| c.area()));
    let deletion = areas(deletion(&mut model, &samples, &curves(CurveOptions::deletion()))?);
    let insertion = areas(insertion(&mut model, &samples, &curves(CurveOptions::insertion()))?);
    let roads =
        road(&mut model, &samples, &RoadOptions { seed: SEED, batch_size: BATCH, ..Default::default() })?;
    let changes =
        confidence(&mut model, &samples, &ConfidenceOptions { batch_size: BATCH, ..Default::default() })?;
    Ok(CamQualityRow {
        images: group.name.to_owned(),
        count: samples.len(),
        method: String::new(),
        layer: String::new(),
        flat: 0,
        deletion,
        insertion,
        road_most: mean(roads.iter().map(|r| r.most_relevant_first())),
        road_least: mean(roads.iter().map(|r| r.least_relevant_first())),
        road: mean(roads.iter().map(|r| r.combined())),
        average_drop: average_drop(&changes).unwrap_or(f64::NAN),
        increase: increase_in_confidence(&changes).unwrap_or(f64::NAN),
    })
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}
