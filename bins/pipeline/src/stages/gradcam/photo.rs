//! A photo from anywhere.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;
use wick_cifar::{HEIGHT, WIDTH};
use wick_gradcam::Method;
use wick_runs::create_parent;
use wick_viz::{Size, fit, read_image, save_png};

use super::args::Args;
use super::images::Images;
use super::maps::{Cams, Explainer};
use super::{methods, pictures, tell};
use crate::source::Opened;
use crate::terminal::{self, note, paths};

/// Where the picture goes, unless told.
const OUT: &str = "cam.png";

pub fn run(args: &Args, source: &Opened, file: &Path) -> Result<()> {
    let explained = &source.explained()?;
    let photo = read_image(file)?;
    let names = &explained.class_names;
    let (layer, usual) = match source {
        Opened::Run { run, .. } => {
            let of_recipe = &run.recipe.evaluate;
            (Some(of_recipe.cam_layer.as_str()), methods::of_recipe(&of_recipe.cam_methods)?)
        }
        Opened::File { .. } => (None, vec![Method::GradCam]),
    };
    let explainer = Explainer::new(args, &explained.network, &explained.augmentation, names, layer)?;
    let (photo, how) = fit(&photo, Size { height: HEIGHT, width: WIDTH })?;
    note(&format!("{}: {how}", file.display()));
    let images = Images { indices: Vec::new(), truth: Vec::new(), bytes: photo.into_raw() };
    let methods = args.method.clone().unwrap_or(usual);
    let mut all = Vec::new();
    for method in methods {
        let cams = explainer.explain(method, &images.bytes)?;
        tell::flat(&explainer, &cams, |_| file.display().to_string());
        all.push(cams);
    }
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(OUT));
    let [said, others @ ..] = &all[..] else { return Ok(()) };
    let picture = match others {
        [] => pictures::grid(&explainer, &images, said)?,
        _ => pictures::side_by_side(&explainer, &images, &all)?,
    };
    create_parent(&out)?;
    save_png(&picture, &out)?;
    let (predicted, probability) = (&names[said.predicted[0]], said.probability[0]);
    let text = || {
        let what = explainer.asked.of(said.predicted[0]).words(names);
        format!("predicted {predicted} ({:.1} %), explained {what}", 100.0 * probability)
    };
    let written = [out];
    let value = || {
        let method = |cams: &Cams| json!({ "method": cams.method.name(), "status": tell::status(cams.maps[0].status) });
        json!({
            "predicted": predicted, "probability": probability, "layers": explainer.layers,
            "target": explainer.asked.words(names), "methods": all.iter().map(method).collect::<Vec<_>>(),
            "written": paths(&written),
        })
    };
    terminal::tell(text, &written, value)
}
