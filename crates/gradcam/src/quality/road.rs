use candle_core::Tensor;

use super::noise::Noise;
use super::order::{by_importance, by_unimportance};
use super::score::Viewer;
use super::{RoadOptions, Samples, impute_linearly};
use crate::CamError;

/// The score of one image's class when a part of its pixels is filled in from the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Road {
    /// Of the image as it is.
    pub before: f64,
    /// Without its most important pixels, at each percentile.
    pub most: Vec<f64>,
    /// Without its least important pixels, at each percentile.
    pub least: Vec<f64>,
}

impl Road {
    /// By how much the score changes without the most important pixels, on average over the percentiles. The lower, the better:
    /// pytorch-grad-cam's `ROADMostRelevantFirstAverage`.
    pub fn most_relevant_first(&self) -> f64 {
        mean(&self.most) - self.before
    }

    /// By how much the score changes without the least important pixels, on average over the percentiles. The higher, the better:
    /// pytorch-grad-cam's `ROADLeastRelevantFirstAverage`.
    pub fn least_relevant_first(&self) -> f64 {
        mean(&self.least) - self.before
    }

    /// Half of what the second is more than the first. The higher, the better; 0 is a map that says nothing: pytorch-grad-cam's
    /// `ROADCombined`.
    pub fn combined(&self) -> f64 {
        (self.least_relevant_first() - self.most_relevant_first()) / 2.0
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Remove and debias (Rong et al. 2022, "A Consistent and Efficient Evaluation Strategy for Attribution Methods"): pixels are filled in by
/// [`impute_linearly`] with a little noise, so that the shape of what is missing tells the network less than a hole would.
///
/// As pytorch-grad-cam's `metrics/road.py`, except that of pixels of the same importance exactly as many go as fit the percentile,
/// the first ones first (there all go, which leaves nothing of a map that is 0 almost everywhere), and that the noise is keyed by
/// seed, image, end and percentile.
///
/// # Errors
/// As [`deletion`](super::deletion).
pub fn road(
    model: impl FnMut(&Tensor) -> candle_core::Result<Tensor>,
    samples: &Samples<'_>,
    options: &RoadOptions,
) -> Result<Vec<Road>, CamError> {
    check(options)?;
    let mut viewer = Viewer::new(samples, model, options.score, options.batch_size)?;
    for i in 0..samples.len() {
        viewer.show(i, samples.image(i))?;
        let map = &samples.maps[i];
        for (which, order) in [by_importance(map), by_unimportance(map)].iter().enumerate() {
            for &percentile in &options.percentiles {
                let removed = &order[..at_or_above(percentile, order.len())];
                let keys = [options.seed, i as u64, which as u64, u64::from(percentile)];
                viewer.show(i, &filled_in(samples, i, removed, options.noise, &mut Noise::keyed(&keys))?)?;
            }
        }
    }
    let n = options.percentiles.len();
    let road = |scores: &[f64]| Road {
        before: scores[0],
        most: scores[1..=n].to_vec(),
        least: scores[n + 1..].to_vec(),
    };
    Ok(viewer.scores()?.chunks_exact(1 + 2 * n).map(road).collect())
}

fn filled_in(
    samples: &Samples<'_>,
    i: usize,
    removed: &[usize],
    noise: f32,
    keyed: &mut Noise,
) -> Result<Vec<f32>, CamError> {
    let size = samples.size;
    let mut image = samples.image(i).to_vec();
    impute_linearly(&mut image, (size.height, size.width, size.channels), removed)?;
    for &pixel in removed {
        for value in &mut image[pixel * size.channels..][..size.channels] {
            *value += noise * keyed.normal() as f32;
        }
    }
    Ok(image)
}

/// Of `pixels` different values, how many are at `numpy.percentile(values, percentile)` or above, leaving at least one.
fn at_or_above(percentile: u8, pixels: usize) -> usize {
    let below = (usize::from(percentile) * (pixels - 1)).div_ceil(100);
    (pixels - below).min(pixels - 1)
}

fn check(options: &RoadOptions) -> Result<(), CamError> {
    let wrong =
        |name, expected: &str, got| Err(CamError::Setting { name, expected: expected.to_owned(), got });
    if options.percentiles.is_empty() || options.percentiles.iter().any(|p| !(1..=99).contains(p)) {
        return wrong("percentiles", "one or more, each from 1 to 99", format!("{:?}", options.percentiles));
    }
    if !(options.noise.is_finite() && options.noise >= 0.0) {
        return wrong("noise", "0 or more", options.noise.to_string());
    }
    Ok(())
}
