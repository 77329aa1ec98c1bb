//! Pooling.

use std::sync::OnceLock;

use candle_core::{CudaStorage, Result, Shape, Tensor};
use wick_cuda::raw::{Launch, Pointer};
use wick_kernels::Pool2dShape;

use super::function::{Function, On, Pass};
use super::gpu::{Gpu, inputs};
use crate::OpsError;
use crate::apply::apply1;

pub(crate) fn max_pool2d(x: &Tensor, shape: Pool2dShape) -> Result<Tensor> {
    let [x] = inputs("max_pool2d", [("input", x)])?;
    apply1(&x, On(MaxPool { shape, places: OnceLock::new() }))
}

pub(crate) fn avg_pool2d(x: &Tensor, shape: Pool2dShape) -> Result<Tensor> {
    let [x] = inputs("avg_pool2d", [("input", x)])?;
    apply1(&x, On(AvgPool { shape }))
}

pub(crate) fn global_avg_pool2d(x: &Tensor) -> Result<Tensor> {
    let [x] = inputs("global_avg_pool2d", [("input", x)])?;
    let (batch, height, width, channels) = x.dims4()?;
    apply1(&x, On(GlobalAvgPool { batch, positions: height * width, channels }))
}

fn output_shape(s: &Pool2dShape) -> Shape {
    (s.batch, s.out_height(), s.out_width(), s.channels).into()
}

/// A pooling's sizes, as its kernels declare them.
fn sizes(launch: Launch, s: &Pool2dShape) -> Launch {
    let sizes = [s.height, s.width, s.channels, s.kernel, s.stride, s.out_height(), s.out_width()];
    sizes.into_iter().fold(launch, Launch::with)
}

/// Collects from the windows that hold each value: from all a share, or, where there are places, from those whose largest value it was.
fn gradient(
    op: &'static str,
    gpu: &Gpu,
    s: &Pool2dShape,
    (dy, places, share): (Pointer, Pointer, f32),
) -> Result<Tensor> {
    let count = s.input_len();
    let dx = gpu.values(count)?;
    let launch = sizes(Launch::over(count).with(dy).with(places).with(share), s);
    gpu.run(op, "pool_gradient", &launch.with(count).with(gpu.address(&dx)?))?;
    Ok(gpu.tensor(dx, (s.batch, s.height, s.width, s.channels)))
}

struct MaxPool {
    shape: Pool2dShape,
    /// Where the maxima were: written by the forward pass, read by the backward pass.
    places: OnceLock<CudaStorage>,
}

impl Function<1> for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn forward(&self, gpu: &Gpu, [x]: [Pointer; 1]) -> Result<(CudaStorage, Shape)> {
        let count = self.shape.output_len();
        let (y, places) = (gpu.values(count)?, gpu.indices(count)?);
        let launch = sizes(Launch::over(count).with(x), &self.shape).with(count);
        let launch = launch.with(gpu.address(&y)?).with(gpu.address(&places)?);
        gpu.run(self.name(), "max_pool", &launch)?;
        self.places.get_or_init(|| places);
        Ok((y, output_shape(&self.shape)))
    }

    fn backward(&self, gpu: &Gpu, pass: Pass<'_, 1>) -> Result<[Option<Tensor>; 1]> {
        let places = self.places.get().ok_or(OpsError::NoForward { op: self.name() })?;
        let from = (pass.dy_at, gpu.address(places)?, 1.0);
        Ok([Some(gradient(self.name(), gpu, &self.shape, from)?)])
    }
}

struct AvgPool {
    shape: Pool2dShape,
}

impl Function<1> for AvgPool {
    fn name(&self) -> &'static str {
        "avg_pool2d"
    }

    fn forward(&self, gpu: &Gpu, [x]: [Pointer; 1]) -> Result<(CudaStorage, Shape)> {
        let count = self.shape.output_len();
        let y = gpu.values(count)?;
        let launch = sizes(Launch::over(count).with(x), &self.shape).with(count);
        gpu.run(self.name(), "avg_pool", &launch.with(gpu.address(&y)?))?;
        Ok((y, output_shape(&self.shape)))
    }

    fn backward(&self, gpu: &Gpu, pass: Pass<'_, 1>) -> Result<[Option<Tensor>; 1]> {
        let share = 1.0 / (self.shape.kernel * self.shape.kernel) as f32;
        Ok([Some(gradient(self.name(), gpu, &self.shape, (pass.dy_at, 0, share))?)])
    }
}

struct GlobalAvgPool {
    batch: usize,
    positions: usize,
    channels: usize,
}

impl Function<1> for GlobalAvgPool {
    fn name(&self) -> &'static str {
        "global_avg_pool2d"
    }

    fn forward(&self, gpu: &Gpu, [x]: [Pointer; 1]) -> Result<(CudaStorage, Shape)> {
        let &Self { batch, positions, channels } = self;
        let y = gpu.values(batch * channels)?;
        let launch = Launch::new([batch, channels.div_ceil(32), 1], [32, 8]);
        let launch = launch.with(x).with(positions).with(channels).with(gpu.address(&y)?);
        gpu.run(self.name(), "global_avg_pool", &launch)?;
        Ok((y, (batch, channels).into()))
    }

    fn backward(&self, gpu: &Gpu, pass: Pass<'_, 1>) -> Result<[Option<Tensor>; 1]> {
        let &Self { batch, positions, channels } = self;
        let count = batch * positions * channels;
        let dx = gpu.values(count)?;
        let launch = Launch::over(count).with(pass.dy_at).with(positions).with(channels).with(count);
        gpu.run(self.name(), "global_avg_pool_gradient", &launch.with(gpu.address(&dx)?))?;
        Ok([Some(gpu.tensor(dx, pass.tensors[0].shape()))])
    }
}
