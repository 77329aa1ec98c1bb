//! What is differentiable on a GPU, as candle's custom ops.

use candle_core::{CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use wick_cuda::raw::Pointer;

use super::gpu::Gpu;
use crate::OpsError;

/// A function of N tensors on a GPU, contiguous and f32.
pub(super) trait Function<const N: usize>: Send + Sync + 'static {
    fn name(&self) -> &'static str;

    /// The result, from the inputs' addresses.
    fn forward(&self, gpu: &Gpu, inputs: [Pointer; N]) -> Result<(CudaStorage, Shape)>;

    /// The inputs' gradients, where they are wanted.
    fn backward(&self, gpu: &Gpu, pass: Pass<'_, N>) -> Result<[Option<Tensor>; N]>;
}

/// What a backward pass begins with.
pub(super) struct Pass<'a, const N: usize> {
    /// The inputs.
    pub tensors: [&'a Tensor; N],
    /// Where they lie.
    pub inputs: [Pointer; N],
    /// Where the result lies.
    pub y: Pointer,
    /// The gradient that reaches it, contiguous.
    pub dy: &'a Tensor,
    /// Where that lies.
    pub dy_at: Pointer,
}

/// A function as candle wants it.
pub(super) struct On<F>(pub F);

impl<F> On<F> {
    fn fwd<const N: usize>(&self, inputs: [(&CudaStorage, &Layout); N]) -> Result<(CudaStorage, Shape)>
    where
        F: Function<N>,
    {
        let op = self.0.name();
        let gpu = Gpu::of(op, &inputs[0].0.device)?;
        let mut at = [0; N];
        for (at, (storage, layout)) in at.iter_mut().zip(inputs) {
            *at = gpu.address_in(op, storage, layout)?;
        }
        self.0.forward(gpu, at)
    }

    fn back<const N: usize>(
        &self,
        tensors: [&Tensor; N],
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<[Option<Tensor>; N]>
    where
        F: Function<N>,
    {
        let op = self.0.name();
        let gpu = Gpu::of(op, y.device().as_cuda_device()?)?;
        let dy = dy.contiguous()?;
        let mut inputs = [0; N];
        for (at, x) in inputs.iter_mut().zip(tensors) {
            *at = gpu.address_of(op, x)?;
        }
        let (y, dy_at) = (gpu.address_of(op, y)?, gpu.address_of(op, &dy)?);
        self.0.backward(gpu, Pass { tensors, inputs, y, dy: &dy, dy_at })
    }
}

/// The functions of this crate send no tensor of the CPU's here.
fn on_the_cpu<T>(op: &'static str) -> Result<T> {
    Err(OpsError::Mixed { op, tensor: "input", expected: "a GPU".into(), got: "the CPU".into() }.into())
}

impl<F: Function<1>> CustomOp1 for On<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.0.name())
    }

    fn cuda_fwd(&self, x: &CudaStorage, lx: &Layout) -> Result<(CudaStorage, Shape)> {
        self.fwd([(x, lx)])
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let [dx] = self.back([x], y, dy)?;
        Ok(dx)
    }
}

impl<F: Function<2>> CustomOp2 for On<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.0.name())
    }

    fn cuda_fwd(
        &self,
        a: &CudaStorage,
        la: &Layout,
        b: &CudaStorage,
        lb: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.fwd([(a, la), (b, lb)])
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [da, db] = self.back([a, b], y, dy)?;
        Ok((da, db))
    }
}

impl<F: Function<3>> CustomOp3 for On<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.0.name())
    }

    fn cuda_fwd(
        &self,
        a: &CudaStorage,
        la: &Layout,
        b: &CudaStorage,
        lb: &Layout,
        c: &CudaStorage,
        lc: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.fwd([(a, la), (b, lb), (c, lc)])
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [da, db, dc] = self.back([a, b, c], y, dy)?;
        Ok((da, db, dc))
    }
}
