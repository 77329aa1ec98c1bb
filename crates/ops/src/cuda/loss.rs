//! Cross-entropy.

use candle_core::{CudaStorage, Result, Shape, Tensor};
use wick_cuda::raw::{Launch, Pointer};

use super::function::{Function, On, Pass};
use super::gpu::{Gpu, expect_here, inputs};
use super::kernels::LOSS_THREADS;
use crate::apply::apply1;
use crate::error::kernel;

const OP: &str = "cross_entropy";

/// `targets` is of u32 and `(N)`. Whether they are classes is not looked at here, which would take a wait: a kernel does, by a NaN.
pub(crate) fn cross_entropy(logits: &Tensor, targets: &Tensor, smoothing: f32) -> Result<Tensor> {
    let (batch, classes) = logits.dims2()?;
    expect_here(OP, "targets", logits.device(), targets)?;
    // No images, but the classes and the smoothing are checked.
    wick_kernels::cross_entropy_forward(&[], classes, &[], smoothing).map_err(kernel(OP))?;
    let [logits] = inputs(OP, [("logits", logits)])?;
    let targets = targets.contiguous()?;
    apply1(&logits, On(CrossEntropy { targets, batch, classes, smoothing }))
}

struct CrossEntropy {
    targets: Tensor,
    batch: usize,
    classes: usize,
    smoothing: f32,
}

impl Function<1> for CrossEntropy {
    fn name(&self) -> &'static str {
        OP
    }

    fn forward(&self, gpu: &Gpu, [logits]: [Pointer; 1]) -> Result<(CudaStorage, Shape)> {
        let &Self { batch, classes, smoothing, .. } = self;
        let (losses, loss) = (gpu.values(batch)?, gpu.values(1)?);
        let targets = gpu.address_of(OP, &self.targets)?;
        let launch = Launch::new([batch, 1, 1], [LOSS_THREADS, 1]).with(logits).with(targets);
        let launch = launch.with(classes).with(smoothing).with(gpu.address(&losses)?);
        gpu.run(OP, "cross_entropy", &launch)?;
        let launch = Launch::new([1, 1, 1], [LOSS_THREADS, 1]).with(gpu.address(&losses)?);
        gpu.run(OP, "mean_loss", &launch.with(batch).with(gpu.address(&loss)?))?;
        Ok((loss, ().into()))
    }

    fn backward(&self, gpu: &Gpu, pass: Pass<'_, 1>) -> Result<[Option<Tensor>; 1]> {
        let &Self { batch, classes, smoothing, .. } = self;
        let gradient = gpu.values(batch * classes)?;
        let targets = gpu.address_of(OP, &self.targets)?;
        let launch = Launch::new([batch, 1, 1], [LOSS_THREADS, 1]).with(pass.inputs[0]).with(targets);
        let launch = launch.with(pass.dy_at).with(classes).with(smoothing).with(batch);
        gpu.run(OP, "cross_entropy_gradient", &launch.with(gpu.address(&gradient)?))?;
        Ok([Some(gpu.tensor(gradient, (batch, classes)))])
    }
}
