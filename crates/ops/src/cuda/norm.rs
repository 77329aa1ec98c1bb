//! Batch, ghost batch, group and layer norms: one function, whose statistics belong to other sets of values.

use candle_core::{CudaStorage, Result, Shape, Tensor};
use wick_cuda::raw::{Launch, Pointer};
use wick_kernels::{Activation, GhostBatchNormShape, GroupNormShape};

use super::function::{Function, On, Pass};
use super::gpu::{Gpu, expect_here, inputs};
use super::kernels::{GROUP_THREADS, SUMMING, parts};
use crate::apply::apply3;
use crate::guided::ReluGradient;

/// What a norm does to what it has normalised, and how its gradient comes back.
#[derive(Clone, Copy)]
pub(crate) struct Ending {
    eps: f32,
    activation: Activation,
    relu: ReluGradient,
}

impl Ending {
    /// Of an op that is applied now.
    pub(crate) fn now(eps: f64, activation: Activation) -> Self {
        Self { eps: eps as f32, activation, relu: ReluGradient::now(activation) }
    }
}

/// The result, and mean and unbiased variance of the batch.
pub(crate) fn batch_norm_train(
    op: &'static str,
    [x, weight, bias]: [&Tensor; 3],
    ending: Ending,
) -> Result<(Tensor, [Tensor; 2])> {
    let rows = Rows::of_a_batch(x, weight.elem_count());
    let (y, [mean, variance]) = by_channel(op, [x, weight, bias], rows, Least::None, ending)?;
    let shape = weight.shape();
    Ok((y, [mean.reshape(shape)?, variance.reshape(shape)?]))
}

/// The result, and means and unbiased variances of the splits; where there is one value, its variance is 0.
pub(crate) fn ghost_batch_norm_train(
    op: &'static str,
    tensors: [&Tensor; 3],
    shape: GhostBatchNormShape,
    ending: Ending,
) -> Result<(Tensor, [Tensor; 2])> {
    let GhostBatchNormShape { batch: images, positions, channels, splits } = shape;
    let rows = Rows { images, positions, channels, sets: Sets::Splits(splits) };
    by_channel(op, tensors, rows, Least::One, ending)
}

pub(crate) fn batch_norm_eval(
    op: &'static str,
    [x, weight, bias]: [&Tensor; 3],
    statistics: [&Tensor; 2],
    ending: Ending,
) -> Result<Tensor> {
    let rows = Rows::of_a_batch(x, weight.elem_count());
    let named = [("input", x), ("running_mean", statistics[0]), ("running_var", statistics[1])];
    let [x, mean, variance] = inputs(op, named)?;
    // Constants: nothing may hold on to what they were computed from.
    let statistics = [mean.detach(), variance.detach()];
    apply(
        op,
        [&x, weight, bias],
        Norm { op, shape: x.shape().clone(), rows, ending, statistics, kind: Kind::Frozen },
    )
}

/// Of a layer norm, the shape has one position and a channel for each value.
pub(crate) fn group_norm(
    op: &'static str,
    [x, weight, bias]: [&Tensor; 3],
    shape: GroupNormShape,
    ending: Ending,
) -> Result<Tensor> {
    let GroupNormShape { batch: images, positions, channels, groups } = shape;
    let [x] = inputs(op, [("input", x)])?;
    let gpu = Gpu::of(op, x.device().as_cuda_device()?)?;
    let (mean, variance) = (gpu.values(images * groups)?, gpu.values(images * groups)?);
    let launch = Launch::new([images, groups, 1], [GROUP_THREADS, 1]).with(gpu.address_of(op, &x)?);
    let launch = launch.with(positions).with(channels).with(groups);
    let launch = launch.with(gpu.address(&mean)?).with(gpu.address(&variance)?);
    gpu.run(op, "group_statistics", &launch)?;
    let statistics = [mean, variance].map(|values| gpu.tensor(values, (images, groups)));
    let rows = Rows { images, positions, channels, sets: Sets::Groups(groups) };
    apply(
        op,
        [&x, weight, bias],
        Norm { op, shape: x.shape().clone(), rows, ending, statistics, kind: Kind::OfTheInput },
    )
}

/// The least that sums of squares are divided by for an unbiased variance.
#[derive(Clone, Copy)]
enum Least {
    /// One less than there are values: of a single one comes NaN.
    None,
    One,
}

fn by_channel(
    op: &'static str,
    [x, weight, bias]: [&Tensor; 3],
    rows: Rows,
    least: Least,
    ending: Ending,
) -> Result<(Tensor, [Tensor; 2])> {
    let [x] = inputs(op, [("input", x)])?;
    let gpu = Gpu::of(op, x.device().as_cuda_device()?)?;
    let Rows { images, positions, channels, .. } = rows;
    let (splits, parts) = (rows.splits(), rows.parts());
    let at = gpu.address_of(op, &x)?;
    let sums = gpu.values(2 * splits * parts * channels)?;
    let launch = Launch::new([channels.div_ceil(SUMMING[0]), parts, splits], SUMMING).with(at);
    let launch = launch.with(images).with(positions).with(channels).with(splits);
    gpu.run(op, "channel_sums", &launch.with(gpu.address(&sums)?))?;

    let count = splits * channels;
    let [mean, variance, unbiased] = [gpu.values(count)?, gpu.values(count)?, gpu.values(count)?];
    let least = match least {
        Least::None => 0usize,
        Least::One => 1,
    };
    let launch = Launch::over(count).with(at).with(gpu.address(&sums)?).with(parts);
    let launch = launch.with(images).with(positions).with(channels).with(splits).with(least);
    let launch = launch.with(gpu.address(&mean)?).with(gpu.address(&variance)?);
    gpu.run(op, "channel_statistics", &launch.with(gpu.address(&unbiased)?))?;

    let [mean, variance, unbiased] =
        [mean, variance, unbiased].map(|values| gpu.tensor(values, (splits, channels)));
    let (statistics, kind) = ([mean.clone(), variance], Kind::OfTheInput);
    let norm = Norm { op, shape: x.shape().clone(), rows, ending, statistics, kind };
    Ok((apply(op, [&x, weight, bias], norm)?, [mean, unbiased]))
}

fn apply(op: &'static str, [x, weight, bias]: [&Tensor; 3], norm: Norm) -> Result<Tensor> {
    let [x, weight, bias] = inputs(op, [("input", x), ("weight", weight), ("bias", bias)])?;
    expect_here(op, "statistics", x.device(), &norm.statistics[0])?;
    apply3(&x, &weight, &bias, On(norm))
}

/// The gradient of a bias: sums along the rows of channels.
pub(super) fn channel_gradients(gpu: &Gpu, op: &'static str, dy: &Tensor, at: Pointer) -> Result<Tensor> {
    let channels = dy.dims().last().copied().unwrap_or(1);
    let rows = Rows::of_a_batch(dy, channels);
    let sources = Sources { x: 0, y: 0, dy: at, mean: 0, variance: 0, eps: 0.0, guided: 0 };
    let dbias = gpu.values(channels)?;
    let totals = Totals { weight: 0, dweight: 0, dbias: gpu.address(&dbias)?, means: 0 };
    rows.gradients(gpu, op, sources, totals)?;
    Ok(gpu.tensor(dbias, channels))
}

/// Values, channels last, and which of them share statistics.
#[derive(Clone, Copy)]
struct Rows {
    images: usize,
    positions: usize,
    channels: usize,
    sets: Sets,
}

#[derive(Clone, Copy)]
enum Sets {
    /// A channel of a part of the batch.
    Splits(usize),
    /// Neighbouring channels of an image.
    Groups(usize),
}

/// What gradients are summed from; where something is 0, it is left out.
struct Sources {
    x: Pointer,
    y: Pointer,
    dy: Pointer,
    mean: Pointer,
    variance: Pointer,
    eps: f32,
    guided: usize,
}

/// What they are summed to; where something is 0, it is not wanted.
struct Totals {
    weight: Pointer,
    dweight: Pointer,
    dbias: Pointer,
    means: Pointer,
}

impl Rows {
    fn of_a_batch(x: &Tensor, channels: usize) -> Self {
        let images = x.elem_count() / channels.max(1);
        Self { images, positions: 1, channels, sets: Sets::Splits(1) }
    }

    fn count(&self) -> usize {
        self.images * self.positions * self.channels
    }

    /// Parts of the batch.
    fn splits(&self) -> usize {
        match self.sets {
            Sets::Splits(splits) => splits,
            Sets::Groups(_) => 1,
        }
    }

    /// Groups of channels, as kernels count them.
    fn groups(&self) -> usize {
        match self.sets {
            Sets::Splits(_) => 0,
            Sets::Groups(groups) => groups,
        }
    }

    fn parts(&self) -> usize {
        parts(self.images * self.positions, self.channels, self.splits())
    }

    /// Gradients that are sums along the rows of channels.
    fn gradients(&self, gpu: &Gpu, op: &'static str, from: Sources, to: Totals) -> Result<()> {
        let &Self { images, positions, channels, .. } = self;
        let (splits, parts) = (self.splits(), self.parts());
        let sums = gpu.values(2 * splits * parts * channels)?;
        let launch = Launch::new([channels.div_ceil(SUMMING[0]), parts, splits], SUMMING);
        let launch = launch.with(from.x).with(from.y).with(from.dy).with(from.mean).with(from.variance);
        let launch = launch.with(images).with(positions).with(channels).with(splits).with(self.groups());
        let launch = launch.with(from.eps).with(from.guided).with(gpu.address(&sums)?);
        gpu.run(op, "gradient_sums", &launch)?;
        let launch = Launch::over(channels).with(gpu.address(&sums)?).with(to.weight).with(parts);
        let launch = launch.with(images).with(positions).with(channels).with(splits);
        gpu.run(op, "gradient_totals", &launch.with(to.dweight).with(to.dbias).with(to.means))
    }
}

/// Whether the statistics depend on the input, which their gradient then has to pass through.
enum Kind {
    OfTheInput,
    Frozen,
}

struct Norm {
    op: &'static str,
    /// The input's.
    shape: Shape,
    rows: Rows,
    ending: Ending,
    /// Mean and biased variance.
    statistics: [Tensor; 2],
    kind: Kind,
}

impl Norm {
    fn addresses(&self, gpu: &Gpu) -> Result<[Pointer; 2]> {
        let [mean, variance] = &self.statistics;
        Ok([gpu.address_of(self.op, mean)?, gpu.address_of(self.op, variance)?])
    }

    /// Sizes as the kernels declare them that compute a value a thread.
    fn sizes(&self, launch: Launch) -> Launch {
        let Rows { positions, channels, .. } = self.rows;
        launch.with(positions).with(channels).with(self.rows.splits()).with(self.rows.groups())
    }
}

impl Function<3> for Norm {
    fn name(&self) -> &'static str {
        self.op
    }

    fn forward(&self, gpu: &Gpu, [x, weight, bias]: [Pointer; 3]) -> Result<(CudaStorage, Shape)> {
        let ([mean, variance], Ending { eps, activation, .. }) = (self.addresses(gpu)?, self.ending);
        let count = self.rows.count();
        let y = gpu.values(count)?;
        let launch = Launch::over(count).with(x).with(mean).with(variance).with(weight).with(bias);
        let launch = self.sizes(launch).with(eps).with(usize::from(activation == Activation::Relu));
        gpu.run(self.op, "normalise", &launch.with(count).with(gpu.address(&y)?))?;
        Ok((y, self.shape.clone()))
    }

    fn backward(&self, gpu: &Gpu, pass: Pass<'_, 3>) -> Result<[Option<Tensor>; 3]> {
        let ([mean, variance], Ending { eps, activation, relu }) = (self.addresses(gpu)?, self.ending);
        let ([x, weight, _], dy, op) = (pass.inputs, pass.dy_at, self.op);
        let Rows { images, positions, channels, sets } = self.rows;
        // The output tells what a rectifier let through.
        let y = if activation == Activation::Relu { pass.y } else { 0 };
        let guided = relu.flag();

        let (dweight, dbias) = (gpu.values(channels)?, gpu.values(channels)?);
        let means = match (&self.kind, sets) {
            (Kind::Frozen, _) => None,
            (Kind::OfTheInput, Sets::Splits(splits)) => Some(gpu.values(2 * splits * channels)?),
            (Kind::OfTheInput, Sets::Groups(groups)) => Some(gpu.values(2 * images * groups)?),
        };
        let means_at = means.as_ref().map_or(Ok(0), |means| gpu.address(means))?;
        let totals = Totals {
            weight,
            dweight: gpu.address(&dweight)?,
            dbias: gpu.address(&dbias)?,
            means: if matches!(sets, Sets::Splits(_)) { means_at } else { 0 },
        };
        self.rows.gradients(gpu, op, Sources { x, y, dy, mean, variance, eps, guided }, totals)?;
        if let Sets::Groups(groups) = sets {
            let launch = Launch::new([images, groups, 1], [GROUP_THREADS, 1]);
            let launch = launch.with(x).with(y).with(dy).with(mean).with(variance).with(weight);
            let launch = launch.with(positions).with(channels).with(groups).with(eps).with(guided);
            gpu.run(op, "group_gradient_means", &launch.with(means_at))?;
        }

        let count = self.rows.count();
        let dx = gpu.values(count)?;
        let launch = Launch::over(count).with(x).with(y).with(dy).with(mean).with(variance);
        let launch = self.sizes(launch.with(weight).with(means_at)).with(eps).with(guided);
        gpu.run(op, "norm_gradient", &launch.with(count).with(gpu.address(&dx)?))?;
        let [x, weight, bias] = pass.tensors.map(Tensor::shape);
        Ok([Some(gpu.tensor(dx, x)), Some(gpu.tensor(dweight, weight)), Some(gpu.tensor(dbias, bias))])
    }
}
