//! The first layer: filters that whiten small patches of the images.

use candle_core::{Module, Result, Tensor};
use candle_nn::{Init, VarBuilder};
use wick_ops::Conv2dOptions;

use super::eigen::{Eigen, eigen};
use crate::layers::uniform_by_fan_in;
use crate::summary::Outline;

/// Side of the patches, in pixels.
pub(super) const SIDE: usize = 2;
const COLOURS: usize = 3;
/// Values of a patch, in the order row, column, colour.
const PATCH: usize = SIDE * SIDE * COLOURS;
/// A filter for each direction, and its negative.
pub(super) const FILTERS: usize = 2 * PATCH;

/// A 2×2 convolution to 24 channels whose `weight` is not learnt but set once, by [`whitening_filters`], and whose `bias`
/// is.
///
/// Both start as those of PyTorch's `Conv2d` do: uniform in `±1/√12`.
#[derive(Debug, Clone)]
pub(super) struct Whitening {
    weight: Tensor,
    bias: Tensor,
}

impl Whitening {
    pub(super) fn new(vb: VarBuilder) -> Result<Self> {
        let start: Init = uniform_by_fan_in(PATCH);
        let weight = vb.get_with_hints((SIDE, SIDE, COLOURS, FILTERS), "weight", start)?;
        // Detached, it costs no gradient, and is still the variable's memory.
        Ok(Self { weight: weight.detach(), bias: vb.get_with_hints(FILTERS, "bias", start)? })
    }

    pub(super) fn outline(&self, outline: &mut Outline, name: &str, [n, h, w, _]: [usize; 4]) -> [usize; 4] {
        let output = [n, (h + 1).saturating_sub(SIDE), (w + 1).saturating_sub(SIDE), FILTERS];
        let parameters = self.weight.elem_count() + self.bias.elem_count();
        outline.leaf(name, "Conv2d", &output, parameters, parameters * n * output[1] * output[2]);
        output
    }
}

impl Module for Whitening {
    /// `(N, H, W, 3)` to `(N, H − 1, W − 1, 24)`.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        wick_ops::add_bias(&wick_ops::conv2d(x, &self.weight, Conv2dOptions::default())?, &self.bias)
    }
}

/// Filters `(2, 2, 3, 24)` that whiten the 2×2 patches of `images` `(N, H, W, 3)`, f32 and normalised as they will be in
/// training: the answers of the first twelve are uncorrelated over these images, with a variance of about 1.
///
/// They are the eigenvectors of the covariance of the patches, each over `√(eigenvalue + eps)`, that of the largest
/// eigenvalue first, then their negatives (Jordan 2024, <https://arxiv.org/abs/2404.00498>, with `eps` 5e-4). The
/// covariance is about 0 instead of the mean. Of either sign that an eigenvector can have, the one is taken that
/// makes its largest component positive. The sums are f64.
///
/// They are for a [`SpeedrunNet`](crate::SpeedrunNet)'s `whiten.weight`:
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use wick_models::{Architecture, Network, whitening_filters};
///
/// let network = Network::new(Architecture::Speedrun, 10, 1, &Device::Cpu)?;
/// let images = Tensor::rand(-1f32, 1., (16, 32, 32, 3), &Device::Cpu)?;
/// if let Some(weight) = network.parameters.get("whiten.weight") {
///     weight.set(&whitening_filters(&images, 5e-4)?)?;
/// }
/// # Ok::<(), wick_models::ModelError>(())
/// ```
///
/// # Errors
/// Another shape or type; no patches.
pub fn whitening_filters(images: &Tensor, eps: f64) -> Result<Tensor> {
    let (n, h, w, colours) = images.dims4()?;
    if n == 0 || h < SIDE || w < SIDE || colours != COLOURS {
        candle_core::bail!(
            "whitening takes images (N, H, W, {COLOURS}) of at least {SIDE}×{SIDE} pixels, got {:?}",
            images.dims()
        );
    }
    let values = images.flatten_all()?.to_vec1::<f32>()?;
    let Eigen { values, vectors } = eigen(patch_covariance(&values, h, w));
    let mut filters = vec![0f32; PATCH * FILTERS];
    for (k, (value, vector)) in values.iter().zip(&vectors).enumerate() {
        let largest = vector.iter().fold(0f64, |most, v| if v.abs() > most.abs() { *v } else { most });
        let scale = largest.signum() / (value + eps).sqrt();
        for (i, v) in vector.iter().enumerate() {
            filters[i * FILTERS + k] = (v * scale) as f32;
            filters[i * FILTERS + PATCH + k] = (-v * scale) as f32;
        }
    }
    Tensor::from_vec(filters, (SIDE, SIDE, COLOURS, FILTERS), images.device())
}

/// The mean of `p·pᵀ` over every patch `p` of the images `(N, h, w, 3)`.
fn patch_covariance(images: &[f32], h: usize, w: usize) -> [[f64; PATCH]; PATCH] {
    const ROW: usize = SIDE * COLOURS;
    let mut sums = [[0f64; PATCH]; PATCH];
    for image in images.chunks_exact(h * w * COLOURS) {
        for (row, column) in (0..=h - SIDE).flat_map(|r| (0..=w - SIDE).map(move |c| (r, c))) {
            let mut patch = [0f64; PATCH];
            for (i, part) in patch.chunks_exact_mut(ROW).enumerate() {
                let from = ((row + i) * w + column) * COLOURS;
                part.iter_mut().zip(&image[from..from + ROW]).for_each(|(p, v)| *p = f64::from(*v));
            }
            for (sums, a) in sums.iter_mut().zip(patch) {
                sums.iter_mut().zip(patch).for_each(|(sum, b)| *sum += a * b);
            }
        }
    }
    let patches = images.len() / (h * w * COLOURS) * (h + 1 - SIDE) * (w + 1 - SIDE);
    sums.map(|row| row.map(|sum| sum / patches as f64))
}
