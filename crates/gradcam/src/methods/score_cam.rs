use super::Weights;
use crate::check::{dims, finite};
use crate::resize::aligned_corners;
use crate::{CamError, CamOptions, ImageLayout};
use candle_core::{DType, Tensor};

/// Keeps a flat mask from dividing by 0; pytorch-grad-cam's.
const EPSILON: f64 = 1e-8;

/// Score-CAM (Wang et al. 2020, <https://arxiv.org/abs/1910.01279>): each channel counts as much as the score of the image that it
/// is laid over as a mask, `raw[n, y, x] = Σ_c w[n, c] · activations[n, y, x, c]` with `w = softmax_c(score(image · mask))`, the
/// mask being the channel, enlarged and scaled to 0..1 (the score of the paper's baseline image cancels in the softmax).
///
/// `score(batch, image)` is the score of each of a batch of masked copies of image number `image`;
/// [`explain_with`](crate::explain_with) makes it of a model and a target. Channels are sent through
/// [`CamOptions::batch_size`] at a time. Masks are enlarged with their corners aligned, as pytorch-grad-cam's are.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use wick_gradcam::{CamOptions, score_cam};
///
/// let image = Tensor::new(&[[1f32, 0.], [0., 2.]], &Device::Cpu)?.reshape((1, 2, 2, 1))?;
/// // The first channel sees the upper left pixel, the second the lower right one; the score is what is left of the image.
/// let activations = Tensor::new(&[[1f32, 0.], [0., 0.], [0., 0.], [0., 1.]], &Device::Cpu)?.reshape((1, 2, 2, 2))?;
/// let score = |masked: &Tensor, _image: usize| masked.sum((1, 2, 3));
/// let maps = score_cam(&image, &activations, score, &CamOptions::default())?;
/// let (first, second) = (1f32.exp(), 2f32.exp());
/// let want = [first / (first + second), 0., 0., second / (first + second)];
/// for (got, want) in maps.flatten_all()?.to_vec1::<f32>()?.iter().zip(want) {
///     assert!((got - want).abs() < 1e-6);
/// }
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// [`CamError::Shape`] for activations, images or scores of another shape; [`CamError::NotFinite`], naming the image;
/// [`CamError::BatchSize`]; what `score` returns.
pub fn score_cam(
    images: &Tensor,
    activations: &Tensor,
    score: impl Fn(&Tensor, usize) -> candle_core::Result<Tensor>,
    options: &CamOptions,
) -> Result<Tensor, CamError> {
    dims::<4>("activations", "(N, h, w, C)", activations)?;
    finite("activations", activations)?;
    weights(images, activations, |batch, image| Ok(score(batch, image)?), options)?
        .maps(activations, options.reduction)
}

pub(crate) fn weights(
    images: &Tensor,
    activations: &Tensor,
    score: impl Fn(&Tensor, usize) -> Result<Tensor, CamError>,
    options: &CamOptions,
) -> Result<Weights, CamError> {
    let [n, h, w, channels] = dims("activations", "(N, h, w, C)", activations)?;
    let image_dims: [usize; 4] = dims("images", "(N, H, W, C) or (N, C, H, W)", images)?;
    if image_dims[0] != n {
        return Err(CamError::Shape {
            what: "images",
            expected: format!("{n}, one for each of the activations"),
            got: images.shape().clone(),
        });
    }
    let [height, width, _] = options.layout.axes().map(|axis| image_dims[axis]);
    let rows = aligned_corners(h, height, images)?;
    let columns = aligned_corners(w, width, images)?.t()?.contiguous()?;
    let mut scores = Scores::new(options.batch_size)?;
    for i in 0..n {
        // (C, h, w)
        let maps = activations.get(i)?.permute((2, 0, 1))?.to_dtype(images.dtype())?.contiguous()?;
        let image = images.narrow(0, i, 1)?;
        scores.of_image(i, channels, |first, count| {
            let masks = rows.broadcast_matmul(&maps.narrow(0, first, count)?.broadcast_matmul(&columns)?)?;
            let flat = masks.reshape((count, height * width))?;
            let (least, most) = (flat.min_keepdim(1)?, flat.max_keepdim(1)?);
            let span = (most - &least)?.affine(1.0, EPSILON)?;
            let masks = flat.broadcast_sub(&least)?.broadcast_div(&span)?;
            let shape = match options.layout {
                ImageLayout::ChannelsLast => (count, height, width, 1),
                ImageLayout::ChannelsFirst => (count, 1, height, width),
            };
            score(&image.broadcast_mul(&masks.reshape(shape)?)?, i)
        })?;
    }
    for row in scores.values.chunks_exact_mut(channels) {
        softmax(row);
    }
    let weights = Tensor::from_vec(scores.values, (n, channels), activations.device())?;
    Ok(Weights::Channels(weights.to_dtype(activations.dtype())?))
}

fn softmax(row: &mut [f64]) {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|v| *v = (*v - most).exp());
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|v| *v /= sum);
}

/// The scores of every channel of every image, gathered a batch of channels at a time.
pub(super) struct Scores {
    batch_size: usize,
    pub(super) values: Vec<f64>,
}

impl Scores {
    pub(super) fn new(batch_size: usize) -> Result<Self, CamError> {
        if batch_size == 0 {
            return Err(CamError::BatchSize);
        }
        Ok(Self { batch_size, values: Vec::new() })
    }

    /// Appends those of an image: `score(first, count)` gives `(count,)` from channel `first` on.
    pub(super) fn of_image(
        &mut self,
        image: usize,
        channels: usize,
        score: impl Fn(usize, usize) -> Result<Tensor, CamError>,
    ) -> Result<(), CamError> {
        for first in (0..channels).step_by(self.batch_size) {
            let count = self.batch_size.min(channels - first);
            let scores = score(first, count)?;
            if scores.dims() != [count] {
                return Err(CamError::Shape {
                    what: "scores of changed images",
                    expected: format!("({count},), one an image"),
                    got: scores.shape().clone(),
                });
            }
            let scores: Vec<f64> = scores.to_dtype(DType::F64)?.to_vec1()?;
            if let Some(&value) = scores.iter().find(|v| !v.is_finite()) {
                return Err(CamError::NotFinite {
                    what: "scores of changed copies",
                    image,
                    value,
                    layer: None,
                });
            }
            self.values.extend(scores);
        }
        Ok(())
    }
}
