use super::Weights;
use super::score_cam::Scores;
use crate::check::{dims, finite};
use crate::{CamError, CamOptions};
use candle_core::Tensor;

/// Ablation-CAM (Desai & Ramaswamy 2020): each channel counts as much as the score drops without it, relative to the score,
/// `raw[n, y, x] = Σ_c w[n, c] · activations[n, y, x, c]` with `w = (score − score with channel c at 0) / score`.
///
/// `scores` are those of the images as they are; `score(batch, image)` is the score of each of a batch of activations `(M, h, w, C)`
/// of image number `image`, in each of which one channel is 0. Only what comes behind the layer is run, with
/// [`CamOptions::batch_size`] channels at a time. [`explain_with`](crate::explain_with) makes both of a model and a target.
///
/// pytorch-grad-cam gives a channel 1e7 below the least activation instead of 0 where that least activation is not 0;
/// this keeps to the paper. Behind a ReLU the two are the same.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use wick_gradcam::{CamOptions, ablation_cam};
///
/// let activations = Tensor::new(&[[1f32, 0.], [0., 3.]], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
/// let score = |ablated: &Tensor, _image: usize| ablated.sum((1, 2, 3));
/// let maps = ablation_cam(&activations, &[4.], score, &CamOptions::default())?;
/// assert_eq!(maps.flatten_all()?.to_vec1::<f32>()?, [1. / 4. * 1., 3. / 4. * 3.]);
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// [`CamError::Shape`] for activations or scores of another shape; [`CamError::NotFinite`], naming the image;
/// [`CamError::ZeroScore`]; [`CamError::BatchSize`]; what `score` returns.
pub fn ablation_cam(
    activations: &Tensor,
    scores: &[f64],
    score: impl Fn(&Tensor, usize) -> candle_core::Result<Tensor>,
    options: &CamOptions,
) -> Result<Tensor, CamError> {
    dims::<4>("activations", "(N, h, w, C)", activations)?;
    finite("activations", activations)?;
    weights(activations, scores, |batch, image| Ok(score(batch, image)?), options)?
        .maps(activations, options.reduction)
}

pub(crate) fn weights(
    activations: &Tensor,
    scores: &[f64],
    score: impl Fn(&Tensor, usize) -> Result<Tensor, CamError>,
    options: &CamOptions,
) -> Result<Weights, CamError> {
    let [n, h, w, channels] = dims("activations", "(N, h, w, C)", activations)?;
    if scores.len() != n {
        return Err(CamError::Shape {
            what: "scores",
            expected: format!("({n},), one an image"),
            got: scores.len().into(),
        });
    }
    if let Some(image) = scores.iter().position(|score| *score == 0.0) {
        return Err(CamError::ZeroScore { image });
    }
    let mut ablated = Scores::new(options.batch_size)?;
    for i in 0..n {
        let image = activations.narrow(0, i, 1)?;
        ablated.of_image(i, channels, |first, count| {
            let kept = (0..count).flat_map(|m| (0..channels).map(move |c| f32::from(c != first + m)));
            let kept = Tensor::from_vec(kept.collect(), (count, 1, 1, channels), activations.device())?;
            let kept = kept.to_dtype(activations.dtype())?;
            score(&image.broadcast_as((count, h, w, channels))?.broadcast_mul(&kept)?, i)
        })?;
    }
    let drops = ablated.values.iter().enumerate().map(|(k, ablated)| {
        let score = scores[k / channels];
        (score - ablated) / score
    });
    let weights = Tensor::from_vec(drops.collect::<Vec<f64>>(), (n, channels), activations.device())?;
    Ok(Weights::Channels(weights.to_dtype(activations.dtype())?))
}
