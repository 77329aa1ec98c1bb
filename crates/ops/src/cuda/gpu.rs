//! A GPU as candle holds it, with the kernels for it.

use std::cell::RefCell;
use std::collections::HashMap;

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::{CudaStorageSlice, DeviceId};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, DType, Device, Error, Layout, Result, Shape, Storage, Tensor};
use wick_cuda::CudaError;
use wick_cuda::raw::{Kernel, Launch, Operands, Pointer, Program, Signature, Stream};
use wick_kernels::ShapeError;

use super::kernels::TEXT;
use crate::OpsError;

thread_local! {
    /// A stream's cuDNN belongs to one thread, so each thread has its own. They are never dropped: NVIDIA's libraries may be gone when a thread's
    /// values are, and cudarc's handles of cuBLAS and cuRAND, which the device holds, panic where destroying them fails.
    static GPUS: RefCell<HashMap<DeviceId, &'static Gpu>> = RefCell::default();
}

/// The most values of a tensor: kernels count in 32 bits, blocks that overhang included.
const MOST: usize = i32::MAX as usize - 1024;

pub(super) struct Gpu {
    device: CudaDevice,
    stream: Stream,
    program: Program,
    kernels: RefCell<HashMap<&'static str, Kernel>>,
}

impl Gpu {
    /// That of a device; its kernels are compiled when a thread first asks for it.
    pub fn of(op: &'static str, device: &CudaDevice) -> Result<&'static Self> {
        if let Some(gpu) = GPUS.with_borrow(|gpus| gpus.get(&device.id()).copied()) {
            return Ok(gpu);
        }
        let stream = Stream::new(device.cuda_stream()).map_err(cuda(op))?;
        let program = stream.compile(TEXT).map_err(cuda(op))?;
        let gpu = Self { device: device.clone(), stream, program, kernels: RefCell::default() };
        let gpu: &'static Self = Box::leak(Box::new(gpu));
        GPUS.with_borrow_mut(|gpus| gpus.insert(device.id(), gpu));
        Ok(gpu)
    }

    /// Memory for so many values, which a kernel is to write.
    pub fn values(&self, count: usize) -> Result<CudaStorage> {
        // SAFETY: any bits are an f32; what is read of it was written by a kernel before.
        let slice = unsafe { self.device.alloc::<f32>(count.max(1)) }?;
        Ok(CudaStorage::wrap_cuda_slice(slice, self.device.clone()))
    }

    /// As [`values`](Self::values), of indices.
    pub fn indices(&self, count: usize) -> Result<CudaStorage> {
        // SAFETY: as above.
        let slice = unsafe { self.device.alloc::<u32>(count.max(1)) }?;
        Ok(CudaStorage::wrap_cuda_slice(slice, self.device.clone()))
    }

    /// Where the values or indices of a storage lie.
    pub fn address(&self, storage: &CudaStorage) -> Result<Pointer> {
        match &storage.slice {
            CudaStorageSlice::F32(values) => Ok(self.stream.address(values)),
            CudaStorageSlice::U32(indices) => Ok(self.stream.address(indices)),
            _ => Err(Error::UnexpectedDType {
                msg: "a kernel reads f32 and u32",
                expected: DType::F32,
                got: storage.dtype(),
            }),
        }
    }

    /// Where the values of a contiguous tensor lie, from storage and layout.
    pub fn address_in(&self, op: &'static str, storage: &CudaStorage, layout: &Layout) -> Result<Pointer> {
        let (start, _) = layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op })?;
        Ok(self.address(storage)? + (start * size_of::<f32>()) as Pointer)
    }

    /// Where the values of a contiguous tensor lie.
    pub fn address_of(&self, op: &'static str, x: &Tensor) -> Result<Pointer> {
        let (storage, layout) = x.storage_and_layout();
        match &*storage {
            Storage::Cuda(storage) => self.address_in(op, storage, layout),
            _ => Err(elsewhere(op, "input", &Device::Cuda(self.device.clone()), x.device())),
        }
    }

    /// A tensor over what a kernel has written, or will have by the time that anything reads it.
    pub fn tensor(&self, storage: CudaStorage, shape: impl Into<Shape>) -> Tensor {
        Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)
    }

    /// Begins one of this folder's kernels. What is passed must be what its text declares.
    pub fn run(&self, op: &'static str, name: &'static str, launch: &Launch) -> Result<()> {
        if launch.grid.contains(&0) {
            return Ok(()); // a batch without images
        }
        let known = self.kernels.borrow().get(name).cloned();
        let kernel = match known {
            Some(kernel) => kernel,
            None => {
                let kernel = self.program.kernel(name).map_err(cuda(op))?;
                self.kernels.borrow_mut().insert(name, kernel.clone());
                kernel
            }
        };
        // SAFETY: who calls this passes what the text declares: tensors of the sizes it counts with, of candle's device. What this thread
        // does there, freeing them included, is all on this one stream; candle leaves it to its users to wait between threads, before dropping
        // a tensor on another one, too.
        unsafe { self.stream.launch(&kernel, launch) }.map_err(cuda(op))
    }

    /// Begins a convolution on tensors of the sizes that the signature tells.
    pub fn convolve(&self, op: &'static str, signature: &Signature, operands: Operands) -> Result<()> {
        // SAFETY: as above; the caller has them aligned.
        unsafe { self.stream.convolve(signature, operands) }.map_err(cuda(op))
    }
}

/// The tensors as contiguous f32 on the first one's GPU, or why they cannot be.
pub(super) fn inputs<const N: usize>(
    op: &'static str,
    tensors: [(&'static str, &Tensor); N],
) -> Result<[Tensor; N]> {
    let first = tensors[0].1.device();
    for (name, x) in tensors {
        if x.dtype() != DType::F32 {
            return Err(OpsError::DType { op, tensor: name, expected: DType::F32, got: x.dtype() }.into());
        }
        expect_here(op, name, first, x)?;
    }
    let contiguous = tensors.map(|(_, x)| x.contiguous()).into_iter().collect::<Result<Vec<_>>>()?;
    contiguous.try_into().map_err(|_| Error::RequiresContiguous { op })
}

/// Refuses a tensor on another device, or one that is too large.
pub(super) fn expect_here(op: &'static str, name: &'static str, device: &Device, x: &Tensor) -> Result<()> {
    if !x.device().same_device(device) {
        return Err(elsewhere(op, name, device, x.device()));
    }
    if x.elem_count() > MOST {
        let source = ShapeError::TooLarge { op, name, most: MOST, got: x.elem_count() };
        return Err(OpsError::Kernel { op, source }.into());
    }
    Ok(())
}

pub(super) fn elsewhere(op: &'static str, tensor: &'static str, expected: &Device, got: &Device) -> Error {
    let [expected, got] = [expected, got].map(|device| format!("{:?}", device.location()));
    OpsError::Mixed { op, tensor, expected, got }.into()
}

/// Names the op in an error of the GPU's.
fn cuda(op: &'static str) -> impl Fn(CudaError) -> Error {
    move |source| OpsError::Cuda { op, source }.into()
}
