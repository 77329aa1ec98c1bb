//! Convolution by cuDNN, channels last.

use std::cell::Cell;

use candle_core::{CudaStorage, Result, Shape, Tensor};
use wick_cuda::raw::{Direction, Launch, Operands, Pointer, Signature};
use wick_cuda::{Determinism, Numbers};
use wick_kernels::Conv2dShape;

use super::function::{Function, On, Pass};
use super::gpu::{Gpu, inputs};
use crate::apply::apply2;

const OP: &str = "conv2d";

/// In which numbers a GPU multiplies in a convolution. Tensors and sums are f32 in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Products {
    /// f32: no tensor cores.
    #[default]
    F32,
    /// Factors rounded to 10 bits (TF32), which is several times as fast.
    Tf32,
}

/// How convolutions are computed on a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CudaConvolutions {
    /// In which numbers factors are multiplied.
    pub products: Products,
    /// Whether two runs must give the same bits: cuDNN's fastest engine is not always the same one.
    pub determinism: Determinism,
}

thread_local! {
    static IN_SCOPE: Cell<CudaConvolutions> = const {
        Cell::new(CudaConvolutions { products: Products::F32, determinism: Determinism::Free })
    };
}

/// Runs `f` with the convolutions that it applies to tensors of a GPU on this thread computed so, and their gradients whenever they are.
/// Those on the CPU stay as they are. Scopes may be nested.
///
/// ```no_run
/// use candle_core::{DType, Device, Tensor};
/// use wick_ops::{Conv2dOptions, CudaConvolutions, Products, conv2d, cuda_convolutions};
///
/// # fn main() -> candle_core::Result<()> {
/// let gpu = Device::new_cuda(0)?;
/// let images = Tensor::ones((128, 32, 32, 3), DType::F32, &gpu)?;
/// let weight = Tensor::ones((3, 3, 3, 64), DType::F32, &gpu)?;
/// let tf32 = CudaConvolutions { products: Products::Tf32, ..CudaConvolutions::default() };
/// let y = cuda_convolutions(tf32, || conv2d(&images, &weight, Conv2dOptions { stride: 1, padding: 1 }))?;
/// # Ok(())
/// # }
/// ```
pub fn cuda_convolutions<T>(options: CudaConvolutions, f: impl FnOnce() -> T) -> T {
    struct Restore(CudaConvolutions);
    impl Drop for Restore {
        fn drop(&mut self) {
            IN_SCOPE.set(self.0);
        }
    }
    let _restore = Restore(IN_SCOPE.replace(options));
    f()
}

pub(crate) fn conv2d(x: &Tensor, weight: &Tensor, shape: Conv2dShape) -> Result<Tensor> {
    let [x, weight] = inputs(OP, [("input", x), ("weight", weight)])?;
    apply2(&aligned(&x)?, &weight, On(Conv2d { shape, options: IN_SCOPE.get() }))
}

/// A tensor that begins where cuDNN wants it, at a multiple of 16 bytes: memory does, but a view may begin anywhere in it.
fn aligned(x: &Tensor) -> Result<Tensor> {
    if is_aligned(x.layout().start_offset()) { Ok(x.clone()) } else { x.force_contiguous() }
}

/// Whether an f32 that lies so many behind the first lies at a multiple of 16 bytes.
fn is_aligned(values: usize) -> bool {
    (values * size_of::<f32>()).is_multiple_of(16)
}

struct Conv2d {
    shape: Conv2dShape,
    options: CudaConvolutions,
}

impl Conv2d {
    fn signature(&self, direction: Direction) -> Signature {
        let numbers = match self.options.products {
            Products::F32 => Numbers::F32,
            Products::Tf32 => Numbers::Tf32,
        };
        Signature { shape: self.shape, direction, numbers, determinism: self.options.determinism }
    }

    /// The weight as cuDNN wants it, `(C_out, KH, KW, C_in)`.
    fn transposed(&self, gpu: &Gpu, weight: Pointer) -> Result<CudaStorage> {
        let to = gpu.values(self.shape.weight_len())?;
        let rows = self.shape.weight_len() / self.shape.out_channels;
        transpose(gpu, (weight, rows, self.shape.out_channels), gpu.address(&to)?)?;
        Ok(to)
    }

    /// Whether there is nothing to compute. cuDNN knows no tensor without values.
    fn is_empty(&self) -> bool {
        self.shape.batch == 0
    }
}

/// From `(rows, columns)` to `(columns, rows)`.
fn transpose(gpu: &Gpu, (from, rows, columns): (Pointer, usize, usize), to: Pointer) -> Result<()> {
    let launch = Launch::new([columns.div_ceil(32), rows.div_ceil(32), 1], [32, 8]);
    gpu.run(OP, "transpose", &launch.with(from).with(rows).with(columns).with(to))
}

impl Function<2> for Conv2d {
    fn name(&self) -> &'static str {
        OP
    }

    fn forward(&self, gpu: &Gpu, [x, weight]: [Pointer; 2]) -> Result<(CudaStorage, Shape)> {
        let s = &self.shape;
        let shape = (s.batch, s.out_height(), s.out_width(), s.out_channels).into();
        let y = gpu.values(s.output_len())?;
        if !self.is_empty() {
            let weight = self.transposed(gpu, weight)?;
            let operands = Operands { x, w: gpu.address(&weight)?, y: gpu.address(&y)? };
            gpu.convolve(OP, &self.signature(Direction::Forward), operands)?;
        }
        Ok((y, shape))
    }

    fn backward(&self, gpu: &Gpu, pass: Pass<'_, 2>) -> Result<[Option<Tensor>; 2]> {
        let ([x, w], [x_at, w_at]) = (pass.tensors, pass.inputs);
        if self.is_empty() {
            return Ok([Some(x.zeros_like()?), Some(w.zeros_like()?)]);
        }
        let s = &self.shape;
        let dy = aligned(pass.dy)?;
        let y = gpu.address_of(OP, &dy)?;
        // Images need no gradient; a network's first layer is spared that work.
        let dx = if x.track_op() {
            let (weight, dx) = (self.transposed(gpu, w_at)?, gpu.values(s.input_len())?);
            let operands = Operands { x: gpu.address(&dx)?, w: gpu.address(&weight)?, y };
            gpu.convolve(OP, &self.signature(Direction::Input), operands)?;
            Some(gpu.tensor(dx, x.shape()))
        } else {
            None
        };
        let dw = if w.track_op() {
            let (theirs, dw) = (gpu.values(s.weight_len())?, gpu.values(s.weight_len())?);
            let operands = Operands { x: x_at, w: gpu.address(&theirs)?, y };
            gpu.convolve(OP, &self.signature(Direction::Weight), operands)?;
            let rows = s.weight_len() / s.out_channels;
            transpose(gpu, (gpu.address(&theirs)?, s.out_channels, rows), gpu.address(&dw)?)?;
            Some(gpu.tensor(dw, w.shape()))
        } else {
            None
        };
        Ok([dx, dw])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_nest_and_end() {
        let now = || IN_SCOPE.get();
        let tf32 = CudaConvolutions { products: Products::Tf32, ..CudaConvolutions::default() };
        let repeatable = CudaConvolutions { determinism: Determinism::Required, ..tf32 };
        let seen = cuda_convolutions(tf32, || [cuda_convolutions(repeatable, now), now()]);
        assert_eq!(seen, [repeatable, tf32]);
        assert_eq!(now(), CudaConvolutions::default());
        assert_eq!(now().products, Products::F32);
    }

    #[test]
    fn each_way_of_computing_has_its_own_engines() {
        let shape = Conv2dShape {
            batch: 2,
            height: 5,
            width: 4,
            in_channels: 3,
            out_channels: 8,
            kernel: [3, 3],
            stride: 1,
            padding: 1,
        };
        let signature = |products| {
            let options = CudaConvolutions { products, ..CudaConvolutions::default() };
            Conv2d { shape, options }.signature(Direction::Forward)
        };
        assert_eq!(signature(Products::F32).numbers, Numbers::F32);
        assert_eq!(signature(Products::Tf32).numbers, Numbers::Tf32);
        assert_ne!(signature(Products::F32), signature(Products::Tf32));
        assert_ne!(
            signature(Products::F32),
            Conv2d { shape, options: IN_SCOPE.get() }.signature(Direction::Weight)
        );
    }

    #[test]
    fn views_that_begin_anywhere_are_copied() {
        assert_eq!([0, 1, 3, 4, 12, 14].map(is_aligned), [true, false, false, true, true, false]);
    }
}
