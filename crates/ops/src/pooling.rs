//! Max and average pooling, windows without padding.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use wick_kernels::Pool2dShape;

use crate::apply::{apply1, input, nhwc, output, slice, tensor, with_slice};
use crate::error::{OpsError, kernel};

/// A square pooling window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOptions {
    /// Height and width of the window, in pixels.
    pub kernel: usize,
    /// Pixels between neighbouring windows; windows that would overhang the image are left out.
    pub stride: usize,
}

/// The largest value of each window. `(N, H, W, C)` to `(N, H', W', C)`, `H' = ⌊(H − kernel) / stride⌋ + 1`.
///
/// The gradient goes to the first maximum in row-major order, as in PyTorch. (Candle's own max-pool spreads it wrongly.)
///
/// # Errors
/// Another rank, type or device; a window larger than the image or a stride of 0.
pub fn max_pool2d(x: &Tensor, options: PoolOptions) -> Result<Tensor> {
    let shape = pool_shape("max_pool2d", x, options)?;
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return crate::cuda::max_pool2d(x, shape);
    }
    apply1(&input("max_pool2d", "input", x)?, MaxPool2d { shape, indices: OnceLock::new() })
}

/// The mean of each window; shapes and errors as in [`max_pool2d`].
///
/// # Errors
/// As [`max_pool2d`].
pub fn avg_pool2d(x: &Tensor, options: PoolOptions) -> Result<Tensor> {
    let shape = pool_shape("avg_pool2d", x, options)?;
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return crate::cuda::avg_pool2d(x, shape);
    }
    apply1(&input("avg_pool2d", "input", x)?, AvgPool2d { shape })
}

/// The mean over height and width: `(N, H, W, C)` to `(N, C)`.
///
/// # Errors
/// Another rank, type or device; an image without pixels.
pub fn global_avg_pool2d(x: &Tensor) -> Result<Tensor> {
    let op = "global_avg_pool2d";
    let [batch, height, width, channels] = nhwc(op, x)?;
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return crate::cuda::global_avg_pool2d(x);
    }
    apply1(&input(op, "input", x)?, GlobalAvgPool2d { batch, positions: height * width, channels })
}

fn pool_shape(op: &'static str, x: &Tensor, options: PoolOptions) -> Result<Pool2dShape> {
    let [batch, height, width, channels] = nhwc(op, x)?;
    let PoolOptions { kernel: window, stride } = options;
    let shape = Pool2dShape { batch, height, width, channels, kernel: window, stride };
    shape.checked().map_err(kernel(op))?;
    Ok(shape)
}

fn output_shape(s: &Pool2dShape) -> (usize, usize, usize, usize) {
    (s.batch, s.out_height(), s.out_width(), s.channels)
}

struct MaxPool2d {
    shape: Pool2dShape,
    /// Where the maxima were: written by the forward pass, read by the backward pass.
    indices: OnceLock<Vec<u32>>,
}

impl CustomOp1 for MaxPool2d {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = output_shape(&self.shape);
        let mut y = vec![0.0; Shape::from(shape).elem_count()];
        let mut indices = vec![0; y.len()];
        wick_kernels::max_pool2d_forward(&self.shape, slice("max_pool2d", x, lx)?, &mut y, &mut indices)
            .map_err(kernel("max_pool2d"))?;
        self.indices.get_or_init(|| indices);
        Ok(output(y, shape))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let indices = self.indices.get().ok_or(OpsError::NoForward { op: "max_pool2d" })?;
        let mut dx = vec![0.0; x.elem_count()];
        with_slice("max_pool2d", &dy.contiguous()?, |dy| {
            wick_kernels::max_pool2d_backward(&self.shape, dy, indices, &mut dx).map_err(kernel("max_pool2d"))
        })?;
        tensor(dx, x.shape()).map(Some)
    }
}

struct AvgPool2d {
    shape: Pool2dShape,
}

impl CustomOp1 for AvgPool2d {
    fn name(&self) -> &'static str {
        "avg_pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = output_shape(&self.shape);
        let mut y = vec![0.0; Shape::from(shape).elem_count()];
        wick_kernels::avg_pool2d_forward(&self.shape, slice("avg_pool2d", x, lx)?, &mut y)
            .map_err(kernel("avg_pool2d"))?;
        Ok(output(y, shape))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let mut dx = vec![0.0; x.elem_count()];
        with_slice("avg_pool2d", &dy.contiguous()?, |dy| {
            wick_kernels::avg_pool2d_backward(&self.shape, dy, &mut dx).map_err(kernel("avg_pool2d"))
        })?;
        tensor(dx, x.shape()).map(Some)
    }
}

struct GlobalAvgPool2d {
    batch: usize,
    positions: usize,
    channels: usize,
}

impl CustomOp1 for GlobalAvgPool2d {
    fn name(&self) -> &'static str {
        "global_avg_pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let &Self { batch, positions, channels } = self;
        let mut y = vec![0.0; batch * channels];
        wick_kernels::global_avg_pool2d_forward(
            batch,
            positions,
            channels,
            slice(self.name(), x, lx)?,
            &mut y,
        )
        .map_err(kernel(self.name()))?;
        Ok(output(y, (batch, channels)))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let &Self { batch, positions, channels } = self;
        let mut dx = vec![0.0; x.elem_count()];
        with_slice(self.name(), &dy.contiguous()?, |dy| {
            wick_kernels::global_avg_pool2d_backward(batch, positions, channels, dy, &mut dx)
                .map_err(kernel(self.name()))
        })?;
        tensor(dx, x.shape()).map(Some)
    }
}
