//! The kernels of norms: between a pass that sums and the next ones, which normalise.

use wick_graph::plan::{NormKind, NormLayer};
use wick_graph::{Graph, Role};

use super::parameters::Parameters;
use super::stage::Mode;
use crate::CudaError;
use crate::device::{Kernel, Launch, Pointer, Program};

/// Offsets of what a norm leaves, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Places {
    pub scale: usize,
    pub shift: usize,
    /// `a`, `b`, `c`.
    pub factors: [usize; 3],
    means: usize,
    inverses: usize,
}

impl Places {
    pub fn of(layer: &NormLayer, images: usize, take: &mut impl FnMut(usize) -> usize) -> Self {
        let rows = if per_image(layer) { images } else { 1 };
        let statistics = match layer.kind {
            NormKind::Bias => 0,
            NormKind::Batch { options, .. } => options.splits * layer.channels,
            NormKind::Group(options) => images * options.groups,
        };
        let row = rows * layer.channels * 4;
        Self {
            scale: take(row),
            shift: take(row),
            factors: [take(row), take(row), take(row)],
            means: take(statistics * 8),
            inverses: take(statistics * 8),
        }
    }
}

/// Whether each image has factors of its own.
pub(super) fn per_image(layer: &NormLayer) -> bool {
    match layer.kind {
        NormKind::Bias => false,
        NormKind::Batch { options, .. } => options.splits > 1,
        NormKind::Group(_) => true,
    }
}

/// The sums that a pass left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    pub at: Pointer,
    pub slots: usize,
    /// Rows an image.
    pub parts: usize,
}

/// A norm of a graph, in a batch.
pub(super) struct Norm<'a> {
    pub graph: &'a Graph,
    pub layer: &'a NormLayer,
    pub parameters: &'a Parameters,
    pub places: Places,
    /// Where the arena begins.
    pub base: Pointer,
    pub images: usize,
    pub mode: Mode,
    pub program: &'a Program,
}

const NONE: Pointer = 0;

impl Norm<'_> {
    fn at(&self, offset: usize) -> Pointer {
        self.base + offset as Pointer
    }

    fn weight(&self) -> Pointer {
        self.layer.weight.map_or(NONE, |weight| self.parameters.value(weight))
    }

    fn bias(&self) -> Pointer {
        self.parameters.value(self.layer.bias)
    }

    fn gradient(&self, parameter: Option<usize>) -> Pointer {
        let trained = |p: &usize| self.graph.parameters()[*p].role == Role::Trainable;
        parameter
            .filter(|_| self.mode != Mode::Differentiate)
            .filter(trained)
            .map_or(NONE, |p| self.parameters.gradient(p))
    }

    /// What it multiplies by and adds where that is known without statistics of the batch; with it, where gradients are to go through
    /// it, their factors.
    pub fn know(&self) -> Result<Option<(Kernel, Launch)>, CudaError> {
        let (mean, variance, splits, eps) = match self.layer.kind {
            NormKind::Bias => (NONE, NONE, 0, 0.0),
            NormKind::Batch { mean, variance, options } => {
                let (mean, variance) = (self.parameters.value(mean), self.parameters.value(variance));
                (mean, variance, options.splits, options.batch_norm.eps as f32)
            }
            NormKind::Group(_) => return Ok(None),
        };
        let [a, b, c] = match self.mode {
            Mode::Differentiate => self.places.factors.map(|at| self.at(at)),
            Mode::Train { .. } | Mode::Evaluate => [NONE; 3],
        };
        let launch = Launch::over(self.layer.channels)
            .with(self.weight())
            .with(self.bias())
            .with(mean)
            .with(variance)
            .with(splits)
            .with(eps)
            .with(self.layer.channels)
            .with(if per_image(self.layer) { self.images } else { 1 })
            .with(self.at(self.places.scale))
            .with(self.at(self.places.shift))
            .with(a)
            .with(b)
            .with(c);
        Ok(Some((self.program.kernel("norm_known")?, launch)))
    }

    /// From `Σy` and `Σy²` to what it multiplies by and adds.
    pub fn measure(&self, sums: Sums) -> Result<Option<(Kernel, Launch)>, CudaError> {
        let NormLayer { channels, pixels, .. } = *self.layer;
        let left = |launch: Launch| {
            launch
                .with(self.at(self.places.means))
                .with(self.at(self.places.inverses))
                .with(self.at(self.places.scale))
                .with(self.at(self.places.shift))
        };
        Ok(match self.layer.kind {
            NormKind::Bias => None,
            NormKind::Batch { mean, variance, options } => {
                let launch = Launch::new([channels.div_ceil(8), 1, 1], [8, 128])
                    .with(sums.at)
                    .with(self.images)
                    .with(sums.parts)
                    .with(pixels)
                    .with(channels)
                    .with(options.splits)
                    .with(options.batch_norm.eps as f32)
                    .with(options.batch_norm.update as f32)
                    .with(self.weight())
                    .with(self.bias())
                    .with(self.parameters.value(mean))
                    .with(self.parameters.value(variance));
                Some((self.program.kernel("batch_norm_measure")?, left(launch)))
            }
            NormKind::Group(options) => {
                let launch = Launch::new([self.images, options.groups, 1], [128, 1])
                    .with(sums.at)
                    .with(sums.parts)
                    .with(pixels)
                    .with(channels)
                    .with(options.groups)
                    .with(options.eps as f32)
                    .with(self.weight())
                    .with(self.bias());
                Some((self.program.kernel("group_norm_measure")?, left(launch)))
            }
        })
    }

    /// From `Σg` and, in slot `slot`, `Σg·y` to the factors of the input's gradient and the gradients of weight and bias.
    pub fn differentiate(&self, sums: Sums, slot: usize) -> Result<Vec<(Kernel, Launch)>, CudaError> {
        let NormLayer { channels, pixels, .. } = *self.layer;
        let (dweight, dbias) = (self.gradient(self.layer.weight), self.gradient(Some(self.layer.bias)));
        let columns = Launch::new([channels.div_ceil(8), 1, 1], [8, 128]);
        let kernel = |name| self.program.kernel(name);
        let factors = |launch: Launch| {
            let [a, b, c] = self.places.factors.map(|at| self.at(at));
            launch.with(a).with(b).with(c)
        };
        let (means, inverses) = (self.at(self.places.means), self.at(self.places.inverses));
        Ok(match self.layer.kind {
            NormKind::Bias if dbias == NONE => Vec::new(),
            NormKind::Bias => {
                let launch =
                    columns.with(sums.at).with(sums.slots).with(self.images).with(sums.parts).with(channels);
                vec![(kernel("bias_gradient")?, launch.with(dbias))]
            }
            NormKind::Batch { options, .. } => {
                let launch = columns
                    .with(sums.at)
                    .with(sums.slots)
                    .with(slot)
                    .with(self.images)
                    .with(sums.parts)
                    .with(pixels)
                    .with(channels)
                    .with(options.splits)
                    .with(self.weight())
                    .with(means)
                    .with(inverses);
                vec![(kernel("batch_norm_gradient")?, factors(launch).with(dweight).with(dbias))]
            }
            NormKind::Group(options) => {
                let launch = Launch::new([self.images, options.groups, 1], [128, 1])
                    .with(sums.at)
                    .with(sums.slots)
                    .with(slot)
                    .with(sums.parts)
                    .with(pixels)
                    .with(channels)
                    .with(options.groups)
                    .with(self.weight())
                    .with(means)
                    .with(inverses);
                let gradient = columns
                    .with(sums.at)
                    .with(sums.slots)
                    .with(slot)
                    .with(self.images)
                    .with(sums.parts)
                    .with(channels)
                    .with(options.groups)
                    .with(means)
                    .with(inverses)
                    .with(dweight)
                    .with(dbias);
                vec![
                    (kernel("group_norm_factors")?, factors(launch)),
                    (kernel("group_norm_gradient")?, gradient),
                ]
            }
        })
    }
}
