//! Draws every figure from made-up data: `cargo run -p wick-viz --example gallery -- FOLDER`.

#![allow(clippy::print_stdout)]

mod made_up;

use made_up::{counts, map, moved, picture, range_test, run};
use std::{env, error::Error, fs, path::PathBuf};
use wick_viz::{
    AugmentationRow, AugmentationsOptions, CamCase, CamComparisonOptions, CamGridOptions, CamGroup, Chart,
    ClassAccuracy, ClassCam, ClassCamsOptions, ClassOrder, CloseCall, Colormap, ComparedCams, ComparedRuns,
    ComparisonOptions, ConfusionOptions, Curves, CurvesOptions, FilterLayout, FilterScale, Filters,
    FiltersOptions, GalleryOptions, HeatMap, LrFinder, LrFinderOptions, LrSchedule, LrScheduleOptions,
    Mistake, Norms, NormsOptions, Order, OverlayOptions, ParameterNorms, PerClassOptions, Photo, Reliability,
    ReliabilityBin, ReliabilityOptions, RgbImage, Suggestion, SvgOptions, Theme, VizError, augmentations,
    cam_comparison, cam_grid, class_cams, comparison, confusion, curves, enlarge, filters, heatmap,
    lr_finder, lr_schedule, misclassified, norms, overlay, per_class, reliability, save_png, save_svg,
    unsure,
};

const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args().nth(1).unwrap_or_else(|| "target/gallery".to_owned()));
    fs::create_dir_all(&folder)?;
    let save = |name: &str, image: RgbImage| -> Result<(), VizError> {
        let path = folder.join(name).with_extension("png");
        save_png(&image, &path)?;
        println!("{:>5}×{:<5} {}", image.width(), image.height(), path.display());
        Ok(())
    };
    let save_both = |name: &str, chart: Chart| -> Result<(), VizError> {
        save(name, chart.png(Theme::Light)?)?;
        save(&format!("{name}-dark"), chart.png(Theme::Dark)?)?;
        save_svg(&chart.svg(&SvgOptions::default()), &folder.join(name).with_extension("svg"))
    };
    for epochs in [1, 2, 3, 20, 40] {
        save_both(&format!("curves-{epochs}"), learning(epochs)?)?;
    }
    save_both("curves-gaps", learning_with_gaps()?)?;
    save_both("lr-finder", range(&[("steepest gradient", 5.09e-3), ("valley", 2.1e-3)])?)?;
    let crowd = [
        ("steepest gradient", 5.09e-3),
        ("valley", 4.8e-3),
        ("minimum / 10", 4.1e-3),
        ("slide", 9.5e-2),
        ("longest slope", f64::NAN),
    ];
    save_both("lr-finder-crowded", range(&crowd)?)?;
    save_both("lr-schedule", one_cycle(20 * 1563)?)?;
    for n in [10, 100] {
        save_both(&format!("per-class-{n}"), classes(n)?)?;
    }
    save_both("reliability", calibration(15)?)?;
    save_both("norms", norms_of(40)?)?;
    save_both("comparison", recipes()?)?;
    for (n, each) in [(2, 500), (10, 1000), (20, 100), (100, 100)] {
        save(&format!("confusion-{n}"), confusion_of(n, each)?)?;
    }
    for n in [0, 1, 10, 23] {
        save(&format!("misclassified-{n}"), mistakes(n)?)?;
        save(&format!("unsure-{n}"), close_calls(n)?)?;
        save(&format!("cams-{n}"), cams(n)?)?;
    }
    save("class-cams", class_averages()?)?;
    for columns in [2, 10] {
        save(&format!("cam-comparison-{columns}"), compared_cams(columns)?)?;
    }
    for (name, scale) in [("each", FilterScale::Each), ("shared", FilterScale::Shared)] {
        save(&format!("filters-64-{name}"), made_up_filters(64, 3, scale)?)?;
        save(&format!("filters-24-{name}"), made_up_filters(24, 2, scale)?)?;
    }
    save("augmentations", sheet(4, 8)?)?;
    save("colour-maps", colour_maps()?)?;
    Ok(())
}

fn learning(epochs: usize) -> Result<Chart, VizError> {
    let r = run(epochs);
    let data = Curves {
        train_loss: &r.train_loss,
        test_loss: &r.test_loss,
        train_accuracy: &r.train_accuracy,
        test_accuracy: &r.test_accuracy,
        lr: &r.lr,
        momentum: &r.momentum,
    };
    curves(
        &data,
        &CurvesOptions { title: Some(format!("ResNet-18, epochs: {epochs}")), ..Default::default() },
    )
}

/// A run that blew up and came back, without momentum.
fn learning_with_gaps() -> Result<Chart, VizError> {
    let mut r = run(16);
    r.train_loss[5] = 41.7;
    r.test_loss[5] = 3e4;
    r.train_loss[6..9].fill(f64::NAN);
    r.test_loss[6..8].fill(f64::INFINITY);
    r.test_accuracy[6..8].fill(f64::NAN);
    let data = Curves {
        train_loss: &r.train_loss,
        test_loss: &r.test_loss,
        train_accuracy: &r.train_accuracy,
        test_accuracy: &r.test_accuracy,
        lr: &r.lr,
        momentum: &[],
    };
    curves(&data, &CurvesOptions::default())
}

fn range(suggestions: &[(&str, f64)]) -> Result<Chart, VizError> {
    let (lr, loss, smoothed) = range_test(100);
    let suggestions: Vec<_> = suggestions.iter().map(|&(name, lr)| Suggestion { name, lr }).collect();
    let data = LrFinder { lr: &lr, loss: &loss, smoothed: &smoothed, suggestions: &suggestions };
    lr_finder(&data, &LrFinderOptions::default())
}

fn one_cycle(steps: usize) -> Result<Chart, VizError> {
    let peak = steps as f64 / 4.0;
    let rise = |s: f64| if s < peak { s / peak } else { 1.0 - (s - peak) / (steps as f64 - peak) };
    let lr: Vec<f64> = (0..steps).map(|s| 5.1e-5 + 5.04e-3 * rise(s as f64)).collect();
    let momentum: Vec<f64> = (0..steps).map(|s| 0.95 - 0.1 * rise(s as f64)).collect();
    let options = LrScheduleOptions { steps_per_epoch: Some(1563), ..Default::default() };
    lr_schedule(&LrSchedule { lr: &lr, momentum: &momentum }, &options)
}

fn classes(n: usize) -> Result<Chart, VizError> {
    let names: Vec<String> =
        (0..n).map(|i| format!("{}{}", CLASSES[i % 10], if n > 10 { " again" } else { "" })).collect();
    let classes: Vec<_> = names
        .iter()
        .zip(0..)
        .map(|(name, i)| ClassAccuracy {
            name,
            accuracy: 0.97 - 0.2 * made_up::noise(i),
            published: (n == 10)
                .then(|| 0.97 - 0.2 * made_up::noise(i) + 0.05 * (made_up::noise(70 + i) - 0.5)),
        })
        .collect();
    let order = if n > 10 { ClassOrder::BestFirst } else { ClassOrder::Given };
    per_class(&classes, &PerClassOptions { order, ..Default::default() })
}

fn calibration(n: usize) -> Result<Chart, VizError> {
    let bins: Vec<_> = made_up::bins(n)
        .into_iter()
        .map(|(lower, upper, images, confidence, accuracy)| ReliabilityBin {
            lower,
            upper,
            images,
            confidence: (images > 2).then_some(confidence),
            accuracy: (images > 2).then_some(accuracy),
        })
        .collect();
    let data = Reliability { bins: &bins, expected_error: 0.0312, maximum_error: 0.1431 };
    reliability(&data, &ReliabilityOptions::default())
}

fn norms_of(n: usize) -> Result<Chart, VizError> {
    let all = made_up::parameter_norms(n);
    let parameters: Vec<_> =
        all.iter().map(|(name, weight, gradient)| ParameterNorms { name, weight, gradient }).collect();
    let steps: Vec<f64> = (0..n).map(|i| (i * 391) as f64).collect();
    let gradients_of = Some("each epoch's last step".to_owned());
    let options = NormsOptions { gradients_of, ..Default::default() };
    norms(&Norms { steps: &steps, parameters: &parameters }, &options)
}

/// Losses and accuracies, a list a run.
type Runs = (Vec<Vec<f64>>, Vec<Vec<f64>>);

fn recipes() -> Result<Chart, VizError> {
    let of = |shift: f64| {
        let seed = |k: u64| {
            let r = run(20);
            let less = |(a, e): (&f64, u64)| a - shift - 0.02 * made_up::noise(100 * k + e);
            (
                r.test_loss.iter().map(|l| l + shift).collect(),
                r.test_accuracy.iter().zip(0..).map(less).collect(),
            )
        };
        (0..3).map(seed).unzip()
    };
    let (first, second): (Runs, Runs) = (of(0.0), of(0.06));
    let groups = [
        ComparedRuns { name: "s11", loss: &first.0, accuracy: &first.1 },
        ComparedRuns { name: "s11, optim.momentum.nesterov = 0.9", loss: &second.0, accuracy: &second.1 },
    ];
    comparison(
        &groups,
        &ComparisonOptions { title: Some("10\u{2009}000 test images".to_owned()), ..Default::default() },
    )
}

fn confusion_of(n: usize, each: u64) -> Result<RgbImage, VizError> {
    let names: Vec<String> = match n {
        10 => CLASSES.map(str::to_owned).to_vec(),
        _ => (0..n).map(|i| format!("{} no. {i}", CLASSES[i % 10])).collect(),
    };
    confusion(&counts(n, each), &names, &ConfusionOptions::default())
}

fn mistakes(n: usize) -> Result<RgbImage, VizError> {
    let pictures: Vec<_> = (0..n as u64).map(picture).collect();
    let list = pictures.iter().enumerate().map(|(i, p)| {
        Ok(Mistake {
            image: Photo::new(p, 32, 32)?,
            index: Some(i),
            truth: CLASSES[i % 10],
            predicted: CLASSES[(3 * i + 1) % 10],
            probability: 0.35 + 0.6 * made_up::noise(i as u64),
        })
    });
    let options = GalleryOptions { title: Some("Misclassified".to_owned()), ..Default::default() };
    misclassified(&list.collect::<Result<Vec<_>, VizError>>()?, &options)
}

fn close_calls(n: usize) -> Result<RgbImage, VizError> {
    let pictures: Vec<_> = (0..n as u64).map(picture).collect();
    let list = pictures.iter().enumerate().map(|(i, p)| {
        let first = 0.35 + 0.15 * made_up::noise(i as u64);
        Ok(CloseCall {
            image: Photo::new(p, 32, 32)?,
            index: Some(i),
            first: CLASSES[i % 10],
            second: CLASSES[(3 * i + 1) % 10],
            probabilities: [first, first - 0.03 * made_up::noise(50 + i as u64)],
        })
    });
    let title = Some("Right by the least".to_owned());
    let options = GalleryOptions { title, order: Order::LeastConfident, ..Default::default() };
    unsure(&list.collect::<Result<Vec<_>, VizError>>()?, &options)
}

fn class_averages() -> Result<RgbImage, VizError> {
    let pictures: Vec<_> = (0..10).map(picture).collect();
    let maps: Vec<_> = (0..10).map(|i| if i == 6 { vec![0.0; 16] } else { map(i) }).collect();
    let list = pictures.iter().zip(&maps).enumerate().map(|(i, (p, m))| {
        let (mean_image, map) = (Photo::new(p, 32, 32)?, HeatMap::new(m, 4, 4)?);
        Ok(ClassCam { name: CLASSES[i], mean_image, map, images: 1000 - 37 * i })
    });
    let title = Some("Grad-CAM of layer4, the mean of each class".to_owned());
    let options = ClassCamsOptions { title, ..Default::default() };
    class_cams(&list.collect::<Result<Vec<_>, VizError>>()?, &options)
}

fn compared_cams(columns: usize) -> Result<RgbImage, VizError> {
    let methods = [
        "Grad-CAM",
        "Grad-CAM++",
        "HiRes-CAM",
        "XGrad-CAM",
        "Layer-CAM",
        "Eigen-CAM",
        "EigenGrad-CAM",
        "Score-CAM",
        "Ablation-CAM",
        "Guided Grad-CAM",
    ];
    let pictures: Vec<_> = (0..4).map(picture).collect();
    let values: Vec<Vec<_>> = (0..4)
        .map(|i| {
            (0..columns as u64)
                .map(|k| if i == 2 && k == 1 { vec![0.0; 16] } else { map(10 * i + k) })
                .collect()
        })
        .collect();
    let maps: Vec<Vec<_>> = values
        .iter()
        .map(|row| row.iter().map(|v| HeatMap::new(v, 4, 4)).collect())
        .collect::<Result<_, _>>()?;
    let cases = pictures.iter().zip(&maps).enumerate().map(|(i, (p, maps))| {
        let (truth, predicted) = (CLASSES[i], CLASSES[(i + i % 3) % 10]);
        let probability = 0.35 + 0.6 * made_up::noise(i as u64);
        Ok(ComparedCams {
            image: Photo::new(p, 32, 32)?,
            index: Some(i),
            maps,
            truth,
            predicted,
            probability,
        })
    });
    let title = Some(format!("{columns} methods on layer4"));
    let options = CamComparisonOptions { title, ..Default::default() };
    let cases = cases.collect::<Result<Vec<_>, VizError>>()?;
    cam_comparison(&methods[..columns], &[CamGroup { heading: None, cases: &cases }], &options)
}

fn made_up_filters(count: usize, side: usize, scale: FilterScale) -> Result<RgbImage, VizError> {
    let weights = made_up::filters(count, side);
    let data = Filters { weights: &weights, count, height: side, width: side, layout: FilterLayout::Oihw };
    let title = Some(format!("The first convolution: {count} filters of {side}×{side}"));
    filters(&data, &FiltersOptions { title, scale, ..Default::default() })
}

fn cams(n: usize) -> Result<RgbImage, VizError> {
    let pictures: Vec<_> = (0..n as u64).map(picture).collect();
    let maps: Vec<_> = (0..n as u64).map(|i| if i == 3 { vec![0.0; 16] } else { map(i) }).collect();
    let list = pictures.iter().zip(&maps).enumerate().map(|(i, (p, m))| {
        Ok(CamCase {
            image: Photo::new(p, 32, 32)?,
            index: Some(i),
            map: HeatMap::new(m, 4, 4)?,
            truth: CLASSES[i % 10],
            predicted: CLASSES[(3 * i + 1) % 10],
            probability: 0.35 + 0.6 * made_up::noise(i as u64),
        })
    });
    let options = CamGridOptions { title: Some("Grad-CAM, layer4".to_owned()), ..Default::default() };
    cam_grid(&list.collect::<Result<Vec<_>, VizError>>()?, &options)
}

fn sheet(rows: usize, draws: usize) -> Result<RgbImage, VizError> {
    let originals: Vec<_> = (0..rows as u64).map(picture).collect();
    let draw = |p: &[u8], k: usize| {
        let shift = |j| (9.0 * made_up::noise((k * 13 + j) as u64)) as i64 - 4;
        moved(p, (shift(0), shift(1)), k.is_multiple_of(2), 16 * i64::from(!k.is_multiple_of(4)))
    };
    let drawn: Vec<Vec<_>> =
        originals.iter().zip(0..).map(|(p, i)| (0..draws).map(|k| draw(p, 5 * i + k)).collect()).collect();
    let photo = |p| Photo::new(p, 32, 32);
    let photos: Vec<Vec<_>> =
        drawn.iter().map(|row| row.iter().map(|p| photo(p)).collect()).collect::<Result<_, _>>()?;
    let rows = originals
        .iter()
        .zip(&photos)
        .zip(CLASSES)
        .map(|((p, draws), caption)| Ok(AugmentationRow { original: photo(p)?, draws, caption }));
    augmentations(&rows.collect::<Result<Vec<_>, VizError>>()?, &AugmentationsOptions::default())
}

/// Each colour map as a bar, and over a picture.
fn colour_maps() -> Result<RgbImage, VizError> {
    let ramp: Vec<f32> = (0..256u16).map(f32::from).collect();
    let (photo, spot) = (picture(5), map(5));
    let photo = enlarge(Photo::new(&photo, 32, 32)?, 4)?;
    let mut out = RgbImage::from_pixel(420, 420, wick_viz::image::Rgb([255; 3]));
    for (i, colormap) in (0i64..).zip(Colormap::ALL) {
        let bar = heatmap(HeatMap::new(&ramp, 1, 256)?, 128, 256, colormap)?;
        let options = OverlayOptions { colormap, ..Default::default() };
        let over = overlay(Photo::of(&photo)?, HeatMap::new(&spot, 4, 4)?, &options)?;
        wick_viz::image::imageops::replace(&mut out, &bar, 10, 10 + 136 * i);
        wick_viz::image::imageops::replace(&mut out, &over, 276, 10 + 136 * i);
    }
    Ok(out)
}
