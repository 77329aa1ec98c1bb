//! Memory on a device.

use std::marker::PhantomData;

use cudarc::driver::{CudaSlice, DevicePtr};

use super::Device;
use crate::CudaError;
use crate::error::driver;

/// An address on a device.
pub(crate) type Pointer = u64;

/// Plain numbers that mean the same here and there, and of which any bits are one. There are no others than these.
pub trait Pod: numbers::Number + Copy + Default + 'static {}
impl<T: numbers::Number + Copy + Default + 'static> Pod for T {}

mod numbers {
    /// Out of reach elsewhere: what copies bytes relies on what [`Pod`](super::Pod) says.
    pub trait Number {}
    impl Number for f32 {}
    impl Number for f64 {}
    impl Number for half::bf16 {}
    impl Number for u8 {}
    impl Number for u32 {}
    impl Number for i32 {}
    impl Number for i16 {}
}

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
        let size = len.max(1) * size_of::<T>();
        let bytes = self.stream().alloc_zeros::<u8>(size).map_err(|_| {
            let mib = |bytes: usize| bytes >> 20;
            let (free, total) = self.memory().unwrap_or_default();
            CudaError::OutOfMemory { wanted: mib(size), free: mib(free), total: mib(total) }
        })?;
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
        // SAFETY: any value of a `Pod` is plain bytes, `size_of_val` of them.
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
        let message = format!("values {at} to {} of {}", at + len, self.len);
        Err(CudaError::Driver { doing: "copy", message })
    }
}
