//! From sums over pixels to the factors that normalise, and back to gradients.

use wick_kernels::fused::Coefficients;

use super::sums::{Part, Sums};
use crate::graph::{GhostBatchNorm, Graph, GroupNorm, NormKind, NormLayer, Role};

/// What a norm multiplies by and adds, in this batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Norm {
    /// Whether each image has its own.
    per_image: bool,
    scale: Vec<f32>,
    shift: Vec<f32>,
    /// Of each channel, of each split's channels, or of each image's groups.
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
    /// Over batch and map, one a channel: of each split, `(splits, C)`, but for the last ones if these have fewer than two
    /// values a channel, of which no variance can be told. What running statistics they have stays.
    pub mean: Vec<f32>,
    /// Unbiased (divided by one less than there are values), as PyTorch accumulates it; as many.
    pub variance: Vec<f32>,
}

impl BatchStatistics {
    /// `running ← (1 − m)·running + m·batch`, as far as `batch` goes.
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
                // Of the running statistics of the splits, their mean.
                let of = |running: &[f32], channel: usize| {
                    let of_splits = running.iter().skip(channel).step_by(layer.channels);
                    of_splits.map(|v| f64::from(*v)).sum::<f64>() / options.splits as f64
                };
                let (mean, variance) = (parameters[mean], parameters[variance]);
                let inverse = |c: usize| 1.0 / (of(variance, c) + options.batch_norm.eps).sqrt();
                self.set(layer, parameters, |c| (of(mean, c), inverse(c)));
            }
            NormKind::Group(_) => {}
        }
    }

    /// The factors of the input's gradient, where [`know`](Self::know) knew what the norm does: it multiplies by its scale.
    pub fn know_gradient(&mut self) {
        self.a.clone_from(&self.scale);
        self.b = vec![0.0; self.scale.len()];
        self.c.clone_from(&self.b);
    }

    /// From `Σy` and `Σy²`; of a batch norm, what its running statistics learn.
    pub fn measure(
        &mut self,
        layer: &NormLayer,
        sums: Sums<'_>,
        parameters: &[&[f32]],
    ) -> Option<BatchStatistics> {
        match layer.kind {
            NormKind::Bias => None,
            NormKind::Batch { mean, variance, options } => {
                let (means, variances) = self.measure_splits(layer, options, sums, parameters);
                let update = options.batch_norm.update;
                Some(BatchStatistics {
                    running_mean: mean,
                    running_variance: variance,
                    update,
                    mean: means,
                    variance: variances,
                })
            }
            NormKind::Group(options) => {
                self.measure_groups(layer, options, sums, parameters);
                None
            }
        }
    }

    /// What the running statistics learn: means and unbiased variances of the splits that have two values a channel or more.
    /// Earlier splits have as many values as later ones, or an image more: those without are the last ones.
    fn measure_splits(
        &mut self,
        layer: &NormLayer,
        options: GhostBatchNorm,
        sums: Sums<'_>,
        parameters: &[&[f32]],
    ) -> (Vec<f32>, Vec<f32>) {
        let affine = Affine::of(layer, parameters);
        let (mut learnt_means, mut learnt_variances) = (Vec::new(), Vec::new());
        self.clear();
        self.per_image = options.splits > 1;
        for part in parts(options, sums.images) {
            let (means, variances) = sums.of_channels(part, layer.pixels as f64);
            for (c, (mean, variance)) in means.iter().zip(&variances).enumerate() {
                self.push(c..c + 1, affine, *mean, 1.0 / (variance + options.batch_norm.eps).sqrt());
            }
            let values = (layer.pixels * part.of(sums.images).len()) as f64;
            if values >= 2.0 {
                let unbiased = values / (values - 1.0);
                learnt_means.extend(means.iter().map(|m| *m as f32));
                learnt_variances.extend(variances.iter().map(|v| (v * unbiased) as f32));
            }
        }
        for values in [&mut self.scale, &mut self.shift] {
            spread(values, options, sums);
        }
        (learnt_means, learnt_variances)
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
            // There are none where the images' gradient alone is wanted.
            let gradient = gradients.get_mut(parameter);
            if let Some(gradient) = gradient.filter(|_| graph.parameters[parameter].role == Role::Trainable) {
                gradient.iter_mut().zip(values).for_each(|(to, value)| *to = *value as f32);
            }
        };
        store(layer.bias, &sums.total(0, Part::ALL));
        let affine = Affine::of(layer, parameters);
        (self.a, self.b, self.c) = (vec![], vec![], vec![]);
        let weight = match layer.kind {
            NormKind::Bias => return,
            NormKind::Batch { options, .. } => {
                self.differentiate_splits(layer, options, (sums, slot), affine)
            }
            NormKind::Group(options) => self.differentiate_groups(layer, options, (sums, slot), affine),
        };
        layer.weight.into_iter().for_each(|parameter| store(parameter, &weight));
    }

    /// The gradient of the weight.
    fn differentiate_splits(
        &mut self,
        layer: &NormLayer,
        options: GhostBatchNorm,
        (sums, slot): (Sums<'_>, usize),
        affine: Affine<'_>,
    ) -> Vec<f64> {
        let mut weight = vec![0.0; sums.channels];
        for part in parts(options, sums.images) {
            let (total, products) = (sums.total(0, part), sums.total(slot, part));
            let rows = layer.pixels as f64 * part.of(sums.images).len() as f64;
            for (c, product) in products.iter().enumerate() {
                let (mean, inverse) =
                    (self.mean[part.split * sums.channels + c], self.inverse[part.split * sums.channels + c]);
                let normalised = inverse * (product - mean * total[c]);
                weight[c] += normalised;
                let scale = affine.weight(c) * inverse;
                let b = -scale * inverse * normalised / rows;
                self.factors(scale, b, -scale * total[c] / rows - b * mean);
            }
        }
        for values in [&mut self.a, &mut self.b, &mut self.c] {
            spread(values, options, sums);
        }
        weight
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

/// The splits that have images.
fn parts(options: GhostBatchNorm, images: usize) -> impl Iterator<Item = Part> {
    let splits = options.splits;
    (0..splits.min(images)).map(move |split| Part { split, splits })
}

/// From one row of channels a split to one an image: image `i` has that of split `i mod splits`, which is the row of image
/// `i − splits`. Of one split, nothing is an image's own.
fn spread(values: &mut Vec<f32>, GhostBatchNorm { splits, .. }: GhostBatchNorm, sums: Sums<'_>) {
    if splits > 1 {
        for image in splits..sums.images {
            let from = (image - splits) * sums.channels;
            values.extend_from_within(from..from + sums.channels);
        }
    }
}
