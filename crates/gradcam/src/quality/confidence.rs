use candle_core::Tensor;

use super::score::Viewer;
use super::{ConfidenceOptions, Samples};
use crate::CamError;

/// What a network says of an image, and of what its map leaves of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfidenceChange {
    /// The score of the image.
    pub before: f64,
    /// The score of the image times the map.
    pub after: f64,
}

/// Shows the network each image times its map: `baseline + map · (image − baseline)`, as Chattopadhyay et al. 2018 (Grad-CAM++,
/// §5.1.1) and pytorch-grad-cam's `CamMultImageConfidenceChange` do, whose baseline is 0. Maps are from 0 to 1.
///
/// # Errors
/// As [`deletion`](super::deletion).
pub fn confidence(
    model: impl FnMut(&Tensor) -> candle_core::Result<Tensor>,
    samples: &Samples<'_>,
    options: &ConfidenceOptions,
) -> Result<Vec<ConfidenceChange>, CamError> {
    let mut viewer = Viewer::new(samples, model, options.score, options.batch_size)?;
    for i in 0..samples.len() {
        let image = samples.image(i);
        let baseline = options.baseline.of(image, samples.size)?;
        let shares = samples.maps[i].iter().flat_map(|&m| std::iter::repeat_n(m, samples.size.channels));
        let seen: Vec<f32> =
            image.iter().zip(&baseline).zip(shares).map(|((x, b), share)| b + share * (x - b)).collect();
        viewer.show(i, image)?;
        viewer.show(i, &seen)?;
    }
    let change = |pair: &[f64]| ConfidenceChange { before: pair[0], after: pair[1] };
    Ok(viewer.scores()?.chunks_exact(2).map(change).collect())
}

/// The average drop, a fraction: the mean of `max(0, before − after) / before` (Chattopadhyay et al. 2018, §5.1.1, there in
/// percent). Small is good. `None` of no images, or of scores that are not above 0, as logits may be.
pub fn average_drop(changes: &[ConfidenceChange]) -> Option<f64> {
    if changes.is_empty() || changes.iter().any(|c| c.before <= 0.0) {
        return None;
    }
    let drops = changes.iter().map(|c| (c.before - c.after).max(0.0) / c.before);
    Some(drops.sum::<f64>() / changes.len() as f64)
}

/// The increase in confidence, a fraction: of how many images the score is higher once only what the map shows is left
/// (Chattopadhyay et al. 2018, §5.1.2, there in percent). Large is good. `None` of no images.
pub fn increase_in_confidence(changes: &[ConfidenceChange]) -> Option<f64> {
    let higher = changes.iter().filter(|c| c.after > c.before).count();
    (!changes.is_empty()).then(|| higher as f64 / changes.len() as f64)
}
