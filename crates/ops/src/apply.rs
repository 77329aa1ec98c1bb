//! What every op shares: reading tensors as slices, and recording the graph or not.

use std::cell::Cell;

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, Device, Layout, Result, Shape, Storage, Tensor,
};

use crate::OpsError;

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(true) };
}

/// Runs `f` with Wick's ops recording no graph on this thread, so that evaluation keeps no activation longer than it needs.
///
/// Candle's own operations are not concerned: they go on recording where a variable is involved. Scopes may be nested.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// # fn main() -> candle_core::Result<()> {
/// let x = Var::new(&[[-1f32, 2.]], &Device::Cpu)?;
/// let y = wick_ops::no_grad(|| wick_ops::relu(&x))?;
/// assert!(!y.track_op());
/// # Ok(())
/// # }
/// ```
pub fn no_grad<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            RECORDING.set(self.0);
        }
    }
    let _restore = Restore(RECORDING.replace(false));
    f()
}

/// Whether ops record on this thread.
#[cfg(feature = "cuda")]
pub(crate) fn recording() -> bool {
    RECORDING.get()
}

pub(crate) fn apply1<C: CustomOp1 + Send + Sync + 'static>(a: &Tensor, op: C) -> Result<Tensor> {
    if RECORDING.get() { a.apply_op1(op) } else { a.apply_op1_no_bwd(&op) }
}

pub(crate) fn apply2<C: CustomOp2 + Send + Sync + 'static>(a: &Tensor, b: &Tensor, op: C) -> Result<Tensor> {
    if RECORDING.get() { a.apply_op2(b, op) } else { a.apply_op2_no_bwd(b, &op) }
}

pub(crate) fn apply3<C: CustomOp3 + Send + Sync + 'static>(
    a: &Tensor,
    b: &Tensor,
    c: &Tensor,
    op: C,
) -> Result<Tensor> {
    if RECORDING.get() { a.apply_op3(b, c, op) } else { a.apply_op3_no_bwd(b, c, &op) }
}

/// The input as contiguous f32 in the CPU's memory (a copy only if it is strided), or why that cannot be.
pub(crate) fn input(op: &'static str, tensor: &'static str, x: &Tensor) -> Result<Tensor> {
    if x.dtype() != DType::F32 {
        return Err(OpsError::DType { op, tensor, expected: DType::F32, got: x.dtype() }.into());
    }
    if !x.device().is_cpu() {
        return Err(OpsError::Device { op, got: format!("{:?}", x.device().location()) }.into());
    }
    x.contiguous()
}

/// The four sizes of a channels-last batch.
pub(crate) fn nhwc(op: &'static str, x: &Tensor) -> Result<[usize; 4]> {
    x.dims().try_into().map_err(|_| {
        OpsError::Rank { op, tensor: "input", expected: "(N, H, W, C)", got: x.dims().to_vec() }.into()
    })
}

/// Refuses a tensor whose shape is not the expected one.
pub(crate) fn expect_shape(
    op: &'static str,
    tensor: &'static str,
    x: &Tensor,
    expected: &[usize],
) -> Result<()> {
    if x.dims() == expected {
        return Ok(());
    }
    Err(OpsError::Shape { op, tensor, expected: expected.to_vec(), got: x.dims().to_vec() }.into())
}

/// The elements of a contiguous f32 storage, as a custom op's forward pass sees them.
pub(crate) fn slice<'a>(op: &'static str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let (start, end) = layout.contiguous_offsets().ok_or(candle_core::Error::RequiresContiguous { op })?;
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Runs `f` on the elements of a contiguous f32 tensor.
pub(crate) fn with_slice<T>(op: &'static str, x: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let (storage, layout) = x.storage_and_layout();
    match &*storage {
        Storage::Cpu(cpu) => f(slice(op, cpu, layout)?),
        _ => Err(OpsError::Device { op, got: format!("{:?}", x.device().location()) }.into()),
    }
}

/// A new CPU tensor over `data`.
pub(crate) fn tensor(data: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(data, shape.into(), &Device::Cpu)
}

/// What a custom op's forward pass returns.
pub(crate) fn output(data: Vec<f32>, shape: impl Into<Shape>) -> (CpuStorage, Shape) {
    (CpuStorage::F32(data), shape.into())
}
