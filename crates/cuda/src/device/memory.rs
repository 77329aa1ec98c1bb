//! Memory on a device.

use std::marker::PhantomData;

use cudarc::driver::sys::CUresult;
use cudarc::driver::{CudaSlice, DevicePtr};
use half::bf16;

use super::Device;
use crate::CudaError;
use crate::error::driver;

/// An address on a device.
pub type Pointer = u64;

mod sealed {
    pub trait Sealed {}
}

/// Plain numbers that mean the same here and there, and of which any bits are one.
pub trait Pod: Copy + Default + sealed::Sealed + 'static {}

macro_rules! plain {
    ($($number:ty),*) => { $(impl sealed::Sealed for $number {} impl Pod for $number {})* };
}

plain!(f32, f64, bf16, u8, u32, u64, i32, i16);

/// Values in the memory of a device.
#[derive(Debug)]
pub struct Buffer<T> {
    bytes: CudaSlice<u8>,
    len: usize,
    device: Device,
    of: PhantomData<T>,
}

impl Device {
    /// `len` zeros.
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`]
    pub fn zeros<T: Pod>(&self, len: usize) -> Result<Buffer<T>, CudaError> {
        let out_of_memory = |size: usize| {
            let mib = |bytes: usize| bytes >> 20;
            let (free, total) = self.memory().unwrap_or_default();
            CudaError::OutOfMemory { wanted: mib(size), free: mib(free), total: mib(total) }
        };
        let Some(size) = len.max(1).checked_mul(size_of::<T>()) else {
            return Err(out_of_memory(usize::MAX));
        };
        let bytes = match self.stream().alloc_zeros::<u8>(size) {
            Err(error) if error.0 == CUresult::CUDA_ERROR_OUT_OF_MEMORY => return Err(out_of_memory(size)),
            bytes => driver("take memory", bytes)?,
        };
        Ok(Buffer { bytes, len, device: self.clone(), of: PhantomData })
    }

    /// A copy of `values`.
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`]
    pub fn upload<T: Pod>(&self, values: &[T]) -> Result<Buffer<T>, CudaError> {
        let mut buffer = self.zeros(values.len())?;
        buffer.write(0, values)?;
        Ok(buffer)
    }
}

impl<T: Pod> Buffer<T> {
    /// The number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies `values` here, from number `at` on.
    ///
    /// # Errors
    /// The driver's; values that do not fit.
    pub fn write(&mut self, at: usize, values: &[T]) -> Result<(), CudaError> {
        self.fits(at, values.len())?;
        if values.is_empty() {
            return Ok(());
        }
        let from = at * size_of::<T>();
        let mut to = self.bytes.slice_mut(from..from + size_of_val(values));
        // SAFETY: any value of a `Pod` is plain bytes, `size_of_val` of them. They may be gone when this returns: memory that is not
        // pinned is copied from before the driver does.
        let bytes = unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values)) };
        driver("copy to the device", self.device.stream().memcpy_htod(bytes, &mut to))
    }

    /// Copies values from number `at` on to `values`, once everything before is done.
    ///
    /// # Errors
    /// The driver's; a range that is not there.
    pub fn read(&self, at: usize, values: &mut [T]) -> Result<(), CudaError> {
        self.fits(at, values.len())?;
        if values.is_empty() {
            return Ok(());
        }
        let from = at * size_of::<T>();
        let view = self.bytes.slice(from..from + size_of_val(values));
        let size = size_of_val(values);
        // SAFETY: a `Pod` is plain bytes, and any bytes are one; nothing else holds the slice while it is borrowed here.
        let bytes = unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast::<u8>(), size) };
        driver("copy from the device", self.device.stream().memcpy_dtoh(&view, bytes))?;
        self.device.wait()
    }

    /// All values, once everything before is done.
    ///
    /// # Errors
    /// The driver's.
    pub fn to_vec(&self) -> Result<Vec<T>, CudaError> {
        let mut values = vec![T::default(); self.len];
        self.read(0, &mut values)?;
        Ok(values)
    }

    /// The address of value `at`.
    pub(crate) fn pointer(&self, at: usize) -> Pointer {
        debug_assert!(at <= self.len);
        let (start, _) = self.bytes.device_ptr(self.device.stream());
        start + (at * size_of::<T>()) as Pointer
    }

    fn fits(&self, at: usize, len: usize) -> Result<(), CudaError> {
        if at.checked_add(len).is_some_and(|end| end <= self.len) {
            return Ok(());
        }
        let message = format!("{len} values from {at} on, of {}", self.len);
        Err(CudaError::Driver { doing: "copy", message })
    }
}
