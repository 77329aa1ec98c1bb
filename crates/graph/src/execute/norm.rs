//! From sums over pixels to the factors that normalise, and back to gradients.

use wick_kernels::fused::Coefficients;

use super::sums::Sums;
use crate::graph::{Graph, GroupNorm, NormKind, NormLayer, Role};

/// What a norm multiplies by and adds, in this batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Norm {
    /// Whether each image has its own.
    per_image: bool,
    scale: Vec<f32>,
    shift: Vec<f32>,
    /// Of each channel, or of each image's groups.
    mean: Vec<f64>,
    /// `1 / √(variance + eps)`.
    inverse: Vec<f64>,
    /// The gradient of the input is `a·g + b·y + c`.
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

/// The mean and variance of one batch normalisation's input.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchStatistics {
    /// The number of the running mean among the graph's parameters.
    pub running_mean: usize,
    /// The number of the running variance.
    pub running_variance: usize,
    /// `m` of [`blend`](Self::blend).
    pub update: f64,
    /// Over batch and map, one a channel.
    pub mean: Vec<f32>,
    /// Unbiased (divided by `N·H·W − 1`), as PyTorch accumulates it.
    pub variance: Vec<f32>,
}

impl BatchStatistics {
    /// `running ← (1 − m)·running + m·batch`.
    pub fn blend(update: f64, running: &mut [f32], batch: &[f32]) {
        let (keep, take) = ((1.0 - update) as f32, update as f32);
        running.iter_mut().zip(batch).for_each(|(running, batch)| *running = keep * *running + take * batch);
    }
}

/// A norm's parameters.
#[derive(Debug, Clone, Copy)]
struct Affine<'a> {
    weight: Option<&'a [f32]>,
    bias: &'a [f32],
}

impl<'a> Affine<'a> {
    fn of(layer: &NormLayer, parameters: &[&'a [f32]]) -> Self {
        Self { weight: layer.weight.map(|weight| parameters[weight]), bias: parameters[layer.bias] }
    }

    fn weight(&self, channel: usize) -> f64 {
        self.weight.map_or(1.0, |weight| f64::from(weight[channel]))
    }

    fn bias(&self, channel: usize) -> f64 {
        f64::from(self.bias[channel])
    }
}

impl Norm {
    pub fn scale(&self) -> Coefficients<'_> {
        self.coefficients(&self.scale)
    }

    pub fn shift(&self) -> Coefficients<'_> {
        self.coefficients(&self.shift)
    }

    /// Factor of the output's gradient, factor of the input, what is added.
    pub fn gradient(&self) -> [Coefficients<'_>; 3] {
        [&self.a, &self.b, &self.c].map(|values| self.coefficients(values))
    }

    fn coefficients<'a>(&self, values: &'a [f32]) -> Coefficients<'a> {
        if self.per_image { Coefficients::PerImage(values) } else { Coefficients::PerChannel(values) }
    }

    /// Without statistics of the batch: a bias, or a batch norm in evaluation. A group norm knows nothing yet.
    pub fn know(&mut self, layer: &NormLayer, parameters: &[&[f32]]) {
        self.per_image = false;
        match layer.kind {
            NormKind::Bias => self.set(layer, parameters, |_| (0.0, 1.0)),
            NormKind::Batch { mean, variance, options } => {
                let (mean, variance) = (parameters[mean], parameters[variance]);
                let inverse = |c: usize| 1.0 / (f64::from(variance[c]) + options.eps).sqrt();
                self.set(layer, parameters, |c| (f64::from(mean[c]), inverse(c)));
            }
            NormKind::Group(_) => {}
        }
    }

    /// From `Σy` and `Σy²`; of a batch norm, what its running statistics learn.
    pub fn measure(
        &mut self,
        layer: &NormLayer,
        sums: Sums<'_>,
        parameters: &[&[f32]],
    ) -> Option<BatchStatistics> {
        let pixels = layer.pixels as f64;
        match layer.kind {
            NormKind::Bias => None,
            NormKind::Batch { mean, variance, options } => {
                let (means, variances) = sums.of_channels(pixels);
                self.per_image = false;
                let inverse = |c: usize| 1.0 / (variances[c] + options.eps).sqrt();
                self.set(layer, parameters, |c| (means[c], inverse(c)));
                let rows = pixels * sums.images as f64;
                let unbiased = rows / (rows - 1.0);
                Some(BatchStatistics {
                    running_mean: mean,
                    running_variance: variance,
                    update: options.update,
                    mean: means.iter().map(|m| *m as f32).collect(),
                    variance: variances.iter().map(|v| (v * unbiased) as f32).collect(),
                })
            }
            NormKind::Group(options) => {
                self.measure_groups(layer, options, sums, parameters);
                None
            }
        }
    }

    fn measure_groups(
        &mut self,
        layer: &NormLayer,
        options: GroupNorm,
        sums: Sums<'_>,
        parameters: &[&[f32]],
    ) {
        let size = sums.channels / options.groups;
        let affine = Affine::of(layer, parameters);
        self.clear();
        self.per_image = true;
        for image in 0..sums.images {
            for first in (0..sums.channels).step_by(size) {
                let channels = first..first + size;
                let (mean, variance) = sums.of_group(image, channels.clone(), layer.pixels as f64);
                let inverse = 1.0 / (variance + options.eps).sqrt();
                self.push(channels, affine, mean, inverse);
            }
        }
    }

    /// From `Σg` and (a bias has none) `Σg·y` in slot `slot`: the factors of the input's gradient, and the gradients of
    /// weight and bias where they are trained.
    ///
    /// With `ŷ = (y − mean)·inverse` and means over what was normalised together, that gradient is
    /// `inverse·(w·g − mean(w·g) − ŷ·mean(w·g·ŷ))`.
    pub fn differentiate(
        &mut self,
        graph: &Graph,
        layer: &NormLayer,
        (sums, slot): (Sums<'_>, usize),
        parameters: &[&[f32]],
        gradients: &mut [Vec<f32>],
    ) {
        let mut store = |parameter: usize, values: &[f64]| {
            if graph.parameters[parameter].role == Role::Trainable {
                gradients[parameter].iter_mut().zip(values).for_each(|(to, value)| *to = *value as f32);
            }
        };
        let total = sums.total(0);
        store(layer.bias, &total);
        let affine = Affine::of(layer, parameters);
        (self.a, self.b, self.c) = (vec![], vec![], vec![]);
        let weight = match layer.kind {
            NormKind::Bias => return,
            NormKind::Batch { .. } => {
                let mut normalised = sums.total(slot);
                let rows = layer.pixels as f64 * sums.images as f64;
                for (c, product) in normalised.iter_mut().enumerate() {
                    *product = self.inverse[c] * (*product - self.mean[c] * total[c]);
                    let scale = affine.weight(c) * self.inverse[c];
                    let b = -scale * self.inverse[c] * *product / rows;
                    self.factors(scale, b, -scale * total[c] / rows - b * self.mean[c]);
                }
                normalised
            }
            NormKind::Group(options) => self.differentiate_groups(layer, options, (sums, slot), affine),
        };
        layer.weight.into_iter().for_each(|parameter| store(parameter, &weight));
    }

    /// The gradient of the weight.
    fn differentiate_groups(
        &mut self,
        layer: &NormLayer,
        options: GroupNorm,
        (sums, slot): (Sums<'_>, usize),
        affine: Affine<'_>,
    ) -> Vec<f64> {
        let size = sums.channels / options.groups;
        let values = (layer.pixels * size) as f64;
        let mut weight = vec![0.0; sums.channels];
        for image in 0..sums.images {
            for group in 0..options.groups {
                let channels = group * size..(group + 1) * size;
                let at = image * options.groups + group;
                let (mean, inverse) = (self.mean[at], self.inverse[at]);
                let (mut plain, mut normalised) = (0.0, 0.0);
                for c in channels.clone() {
                    let g = sums.at(image, 0, c);
                    let product = inverse * (sums.at(image, slot, c) - mean * g);
                    weight[c] += product;
                    plain += affine.weight(c) * g / values;
                    normalised += affine.weight(c) * product / values;
                }
                let b = -inverse * inverse * normalised;
                for c in channels {
                    self.factors(affine.weight(c) * inverse, b, -inverse * plain - b * mean);
                }
            }
        }
        weight
    }

    fn factors(&mut self, a: f64, b: f64, c: f64) {
        self.a.push(a as f32);
        self.b.push(b as f32);
        self.c.push(c as f32);
    }

    fn clear(&mut self) {
        self.scale.clear();
        self.shift.clear();
        self.mean.clear();
        self.inverse.clear();
    }

    /// One mean and `1/√(variance + eps)` a channel.
    fn set(&mut self, layer: &NormLayer, parameters: &[&[f32]], of: impl Fn(usize) -> (f64, f64)) {
        self.clear();
        let affine = Affine::of(layer, parameters);
        for channel in 0..layer.channels {
            let (mean, inverse) = of(channel);
            self.push(channel..channel + 1, affine, mean, inverse);
        }
    }

    /// For channels that share a mean and a variance.
    fn push(&mut self, channels: std::ops::Range<usize>, affine: Affine<'_>, mean: f64, inverse: f64) {
        self.mean.push(mean);
        self.inverse.push(inverse);
        for channel in channels {
            let scale = affine.weight(channel) * inverse;
            self.scale.push(scale as f32);
            self.shift.push((affine.bias(channel) - mean * scale) as f32);
        }
    }
}
