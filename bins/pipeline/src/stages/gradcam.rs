//! `gradcam`: where the network looks, of a run, of a weights file on data, or of one photo.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use wick_cifar::{HEIGHT, IMAGE_BYTES, WIDTH};
use wick_gradcam::Target;
use wick_models::Network;
use wick_runs::{CamIndexRow, Input, Predictions, write_atomic_by_path, write_rows};
use wick_viz::{CamCase, CamGridOptions, HeatMap, Photo, Size, cam_grid, fit, read_image, save_png};

use crate::cam::{Cams, METHOD, explain};
use crate::cli::GradcamArgs;
use crate::context::{Run, StageEnd, Work, needs};
use crate::source::{Explained, Opened, Subject, open};
use crate::terminal::{note, wrote};

/// Images explained of a weights file, unless they are named.
const SHOWN: usize = 20;
/// Where maps of a weights file on data go, unless told.
const OUT: &str = "explanation";

pub fn run(args: &GradcamArgs) -> Result<StageEnd> {
    let source = open(&args.source)?;
    if let Some(photo) = &args.image {
        of_photo(args, &source.explained()?, photo)?;
        return Ok(StageEnd::Done);
    }
    ensure!(
        args.out.is_none() || args.source.run.is_none(),
        "--out goes with --checkpoint or --image; what is explained of a run's data is kept in its run folder"
    );
    match &source {
        Opened::Run { run, weights } => of_run(args, &source, run, weights),
        Opened::File { .. } => {
            of_data(args, &source)?;
            Ok(StageEnd::Done)
        }
    }
}

fn of_run(args: &GradcamArgs, source: &Opened, run: &Run, weights: &Path) -> Result<StageEnd> {
    let d = &run.dir;
    let mut inputs = vec![Input::path(d.recipe_toml()), Input::path(d.data()), Input::path(weights)];
    inputs.push(Input::value("options", format!("{:?} {:?} {:?}", args.indices, args.layer, args.target)));
    if args.indices.is_none() {
        needs(&d.predictions(), "evaluate")?;
        inputs.push(Input::path(d.predictions()));
    }
    run.stage("gradcam", inputs, args.source.skip_current.into(), || {
        let subject = source.subject(args.source.data.as_deref())?;
        let indices = match &args.indices {
            Some(indices) => indices.clone(),
            None => {
                let predictions = Predictions::read(&d.predictions())?;
                predictions.wrong().take(run.recipe.evaluate.misclassified).map(|row| row.index).collect()
            }
        };
        let layer = args.layer.as_deref().unwrap_or(&run.recipe.evaluate.cam_layer);
        let folder = d.cam(METHOD)?;
        let files = [folder.index(), folder.raw(), folder.grid()];
        write(args, &subject, &indices, layer, &files)?;
        Ok(Work::Done(files.to_vec()))
    })
}

fn of_data(args: &GradcamArgs, source: &Opened) -> Result<()> {
    let subject = source.subject(args.source.data.as_deref())?;
    let indices = match &args.indices {
        Some(indices) => indices.clone(),
        None => first_misclassified(&subject)?,
    };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(OUT));
    let folder = wick_runs::RunDir::names_below(&out).cam(METHOD)?;
    let files = [folder.index(), folder.raw(), folder.grid()];
    write(args, &subject, &indices, layer(args, &subject.network)?, &files)
}

/// The layer explained of a weights file: the last that has a map, unless it is named.
fn layer<'a>(args: &'a GradcamArgs, network: &Network) -> Result<&'a str> {
    let last = network.model.layers().last().copied();
    args.layer.as_deref().or(last).context("this network has no layer to explain")
}

/// The first misclassified images, looked for no further than needed.
fn first_misclassified(subject: &Subject) -> Result<Vec<usize>> {
    let (split, all) = subject.data.judging();
    let mut found = Vec::new();
    let mut network = subject.compiled()?;
    for indices in all.chunks(subject.evaluation.batch_size) {
        let judged = wick_train::evaluate(
            &mut network,
            &subject.augmentation,
            split,
            indices,
            subject.evaluation,
            &mut |_| {},
        )?;
        let pairs = judged.truth.iter().zip(&judged.predicted);
        found.extend(indices.iter().zip(pairs).filter(|(_, (t, p))| t != p).map(|(i, _)| *i));
        if found.len() >= SHOWN {
            break;
        }
    }
    found.truncate(SHOWN);
    Ok(found)
}

fn write(
    args: &GradcamArgs,
    subject: &Subject,
    indices: &[usize],
    layer: &str,
    files: &[PathBuf; 3],
) -> Result<()> {
    let (split, judging) = subject.data.judging();
    if let Some(i) = indices.iter().find(|i| judging.binary_search(i).is_err()) {
        bail!(
            "--indices names image {i}, which is none of the {} that judge; their indices lie from {} to {}",
            judging.len(),
            judging.first().unwrap_or(&0),
            judging.last().unwrap_or(&0)
        );
    }
    let [index, raw, grid] = files;
    let bytes: Vec<u8> = indices.iter().flat_map(|&i| split.image(i)).copied().collect();
    let target = target(args, &subject.class_names)?;
    let cams = explain(&subject.network, &subject.augmentation, &bytes, layer, &target)?;
    let truth: Vec<usize> = indices.iter().map(|&i| usize::from(split.label(i))).collect();
    let rows: Vec<CamIndexRow> = (0..indices.len())
        .map(|row| CamIndexRow {
            row,
            index: Some(indices[row]),
            truth: Some(truth[row]),
            predicted: cams.predicted[row],
            probability: cams.probability[row],
            target: cams.explained[row],
            method: METHOD.to_owned(),
            layer: layer.to_owned(),
        })
        .collect();
    write_rows(index, &rows)?;
    write_atomic_by_path(raw, |path| -> Result<()> { Ok(cams.raw.save_safetensors("raw", path)?) })?;
    let what = args.target.as_deref().unwrap_or("the predicted class");
    let title = format!("Grad-CAM of {layer} for {what}: {} images", indices.len());
    save_png(&picture(&cams, &bytes, &subject.class_names, Some(&truth), title)?, grid)?;
    for (row, &i) in indices.iter().enumerate() {
        if cams.is_flat(row) {
            note(&format!(
                "image {i}: nothing in {layer} speaks for the class explained; its map is drawn flat"
            ));
        }
    }
    wrote("", files)
}

fn of_photo(args: &GradcamArgs, explained: &Explained, file: &Path) -> Result<()> {
    let photo = read_image(file)?;
    let (photo, how) = fit(&photo, Size { height: HEIGHT, width: WIDTH })?;
    note(&format!("{}: {how}", file.display()));
    let layer = layer(args, &explained.network)?;
    let names = &explained.class_names;
    let cams =
        explain(&explained.network, &explained.augmentation, photo.as_raw(), layer, &target(args, names)?)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("cam.png"));
    let looked_for = &names[cams.explained[0]];
    let title = format!("Grad-CAM of {layer} for {looked_for}");
    save_png(&picture(&cams, photo.as_raw(), names, None, title)?, &out)?;
    let (predicted, probability) = (&names[cams.predicted[0]], 100.0 * cams.probability[0]);
    wrote(&format!("predicted {predicted} ({probability:.1} %), explained {looked_for}"), &[out])?;
    if cams.is_flat(0) {
        note(&format!("nothing in {layer} speaks for {looked_for}; the map is drawn flat"));
    }
    Ok(())
}

fn target(args: &GradcamArgs, names: &[String]) -> Result<Target> {
    let Some(asked) = &args.target else { return Ok(Target::Predicted) };
    let class = names.iter().position(|n| n == asked).or_else(|| asked.parse().ok()).with_context(|| {
        format!("--target {asked} is no class; the network tells apart {}", names.join(", "))
    })?;
    ensure!(class < names.len(), "--target {asked} is no class; they are numbered 0 to {}", names.len() - 1);
    Ok(Target::Class(class as u32))
}

fn picture(
    cams: &Cams,
    bytes: &[u8],
    names: &[String],
    truth: Option<&[usize]>,
    title: String,
) -> Result<wick_viz::RgbImage> {
    let cases = bytes
        .chunks(IMAGE_BYTES)
        .enumerate()
        .map(|(row, image)| {
            Ok(CamCase {
                image: Photo::new(image, HEIGHT, WIDTH)?,
                map: HeatMap::new(&cams.maps[row], HEIGHT, WIDTH)?,
                truth: truth.map_or("not known", |t| &names[t[row]]),
                predicted: &names[cams.predicted[row]],
                probability: f64::from(cams.probability[row]),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(cam_grid(&cases, &CamGridOptions { title: Some(title), ..Default::default() })?)
}
