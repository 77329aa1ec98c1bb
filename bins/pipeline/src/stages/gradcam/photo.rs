//! A photo from anywhere.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;
use wick_cifar::{HEIGHT, WIDTH};
use wick_gradcam::Method;
use wick_runs::create_parent;
use wick_viz::{Fit, Size, fit, read_image, save_png};

use super::args::Args;
use super::images::{Chosen, Images};
use super::maps::Explainer;
use super::place::Place;
use super::{methods, pictures, tell};
use crate::compute::Asked;
use crate::source::Opened;
use crate::terminal::{self, note, paths};

/// Where the picture goes, unless told.
const OUT: &str = "cam.png";

pub fn run(args: &Args, source: &Opened, file: &Path, asked: Asked) -> Result<()> {
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
    let network = (&asked.open()?, &explained.network);
    let explainer = Explainer::new(args, network, &explained.augmentation, names, layer)?;
    let (photo, how) = fit(&photo, Size { height: HEIGHT, width: WIDTH })?;
    note(&format!("{}: {how}", file.display()));
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    let shown = match how {
        Fit::Cropped { .. } => format!("the middle of {name}"),
        Fit::Resized { .. } | Fit::Unchanged => name.into_owned(),
    };
    let bytes = photo.into_raw();
    let chosen = Chosen::Photo(shown);
    let images = Images { indices: Vec::new(), truth: Vec::new(), judged: None, bytes, chosen };
    let mut all = Vec::new();
    for view in explainer.views(args.method.as_deref().unwrap_or(&usual)) {
        let cams = explainer.explain(&view, &images, &mut |_| {})?;
        tell::flat(&explainer, &cams, |_| file.display().to_string());
        all.push(cams);
    }
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(OUT));
    let [said, ..] = &all[..] else { return Ok(()) };
    let methods = all.chunk_by(|a, b| a.view.method == b.view.method).count();
    let picture = match methods {
        1 => pictures::grid(&explainer, &images, &all)?,
        _ => pictures::side_by_side(&explainer, &images, &all)?,
    };
    create_parent(&out)?;
    save_png(&picture, &out)?;
    let (predicted, probability) = (&names[said.predicted[0]], said.probability[0]);
    let asks = all.iter().any(|cams| cams.view.asks_for_a_class());
    let text = || {
        let said_so = format!("predicted {predicted} ({:.1} %)", 100.0 * probability);
        match asks {
            true => format!("{said_so}, explained {}", explainer.asked.of(said.predicted[0]).words(names)),
            false => said_so,
        }
    };
    let written = [out];
    let methods = tell::methods(&explainer, &images, &all)?;
    let value = || {
        json!({
            "predicted": predicted, "probability": probability,
            "layers": explainer.places.iter().map(Place::to_string).collect::<Vec<_>>(),
            "target": explainer.asked.words(names), "methods": methods, "written": paths(&written),
        })
    };
    terminal::tell(text, &written, value)
}
