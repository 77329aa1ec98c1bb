use candle_core::Tensor;

use super::order::by_importance;
use super::score::Viewer;
use super::{CurveOptions, Samples};
use crate::CamError;

/// The score of one image's class while pixels are taken away or put back.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The fraction of the pixels changed, from 0 to 1.
    pub fractions: Vec<f64>,
    /// The score at each.
    pub scores: Vec<f64>,
}

impl Curve {
    /// The area below the curve, by the trapezoidal rule: the mean score on the way.
    pub fn area(&self) -> f64 {
        let steps = self.fractions.windows(2).zip(self.scores.windows(2));
        steps.map(|(x, y)| (x[1] - x[0]) * (y[0] + y[1]) / 2.0).sum()
    }
}

/// Replaces each image's pixels by the baseline, the most important first (Petsiuk et al. 2018, RISE, §4.3). A map that found
/// what the network relies on has its score fall at once: a small area is good.
///
/// # Errors
/// [`CamError::Setting`] for options out of range; [`CamError::Class`], [`CamError::Shape`] and [`CamError::NotFinite`] for what
/// the model returns; the model's own error.
pub fn deletion(
    model: impl FnMut(&Tensor) -> candle_core::Result<Tensor>,
    samples: &Samples<'_>,
    options: &CurveOptions,
) -> Result<Vec<Curve>, CamError> {
    curves(model, samples, options, |image, baseline| (image, baseline))
}

/// Puts each image's pixels back into the baseline, the most important first (Petsiuk et al. 2018, RISE, §4.3). A map that found
/// what the network relies on has its score rise at once: a large area is good.
///
/// # Errors
/// As [`deletion`].
pub fn insertion(
    model: impl FnMut(&Tensor) -> candle_core::Result<Tensor>,
    samples: &Samples<'_>,
    options: &CurveOptions,
) -> Result<Vec<Curve>, CamError> {
    curves(model, samples, options, |image, baseline| (baseline, image))
}

/// `ends` says of an image and its baseline from which to which the curve goes.
fn curves(
    model: impl FnMut(&Tensor) -> candle_core::Result<Tensor>,
    samples: &Samples<'_>,
    options: &CurveOptions,
    ends: impl Fn(Vec<f32>, Vec<f32>) -> (Vec<f32>, Vec<f32>),
) -> Result<Vec<Curve>, CamError> {
    let (steps, pixels, channels) = (options.steps, samples.size.area(), samples.size.channels);
    if !(1..=pixels).contains(&steps) {
        return Err(CamError::Setting {
            name: "steps",
            expected: format!("1 to {pixels}, the pixels of an image"),
            got: steps.to_string(),
        });
    }
    let changed = |step: usize| step * pixels / steps;
    let mut viewer = Viewer::new(samples, model, options.score, options.batch_size)?;
    for i in 0..samples.len() {
        let image = samples.image(i).to_vec();
        let baseline = options.baseline.of(&image, samples.size)?;
        let (mut now, end) = ends(image, baseline);
        let order = by_importance(&samples.maps[i]);
        viewer.show(i, &now)?;
        for step in 1..=steps {
            for &pixel in &order[changed(step - 1)..changed(step)] {
                let values = pixel * channels..(pixel + 1) * channels;
                now[values.clone()].copy_from_slice(&end[values]);
            }
            viewer.show(i, &now)?;
        }
    }
    let fractions: Vec<f64> = (0..=steps).map(|step| changed(step) as f64 / pixels as f64).collect();
    let curve = |scores: &[f64]| Curve { fractions: fractions.clone(), scores: scores.to_vec() };
    Ok(viewer.scores()?.chunks_exact(steps + 1).map(curve).collect())
}
