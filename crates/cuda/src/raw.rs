//! Kernels and convolutions on memory and a stream that are there already, such as those of another library's tensors.
//!
//! What takes addresses is `unsafe`: nothing here knows what lies there. Everything is begun on the one stream, in order.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use cudarc::driver::{CudaSlice, CudaStream, DevicePtr};

use crate::cudnn::{Convolution, Effort};
use crate::device::{self, check_compiler};
use crate::error::driver;
use crate::{Buffer, CudaError, Device};

pub use crate::cudnn::{Direction, Operands, Signature};
pub use crate::device::{Argument, Kernel, Launch, Pointer, Program};
pub use wick_kernels::Conv2dShape;

/// Somebody's stream, for one thread, with the convolutions that were chosen on it and the memory that they need beside their operands.
#[derive(Debug)]
pub struct Stream {
    // Dropped before their device.
    convolutions: RefCell<HashMap<Signature, Convolution>>,
    workspace: RefCell<Option<Buffer<u8>>>,
    device: Device,
}

impl Stream {
    /// On a stream of cudarc's.
    ///
    /// # Errors
    /// A library that is missing or too old, or a device that is too old.
    pub fn new(stream: Arc<CudaStream>) -> Result<Self, CudaError> {
        let device = Device::on(stream)?;
        Ok(Self { convolutions: RefCell::default(), workspace: RefCell::default(), device })
    }

    /// Compiles CUDA C++ text for the stream's device.
    ///
    /// # Errors
    /// [`CudaError::Compile`] with the compiler's log.
    pub fn compile(&self, text: &str) -> Result<Program, CudaError> {
        self.device.compile(text)
    }

    /// The address of a slice, for what is begun on this stream while the slice lives; it is to be freed on this stream, too.
    pub fn address<T>(&self, slice: &CudaSlice<T>) -> Pointer {
        slice.device_ptr(self.device.stream()).0
    }

    /// Begins a kernel.
    ///
    /// # Safety
    /// The arguments must be what the kernel declares, and each of its pointers must lead to as much memory of this device as the
    /// kernel uses there, which is used or freed by other streams neither now nor before this one is done with it.
    ///
    /// # Errors
    /// The driver's.
    pub unsafe fn launch(&self, kernel: &Kernel, launch: &Launch) -> Result<(), CudaError> {
        self.device.launch(kernel, launch)
    }

    /// Begins a convolution or a gradient of one. The first of a signature waits for the stream, then times what cuDNN offers, as many as ten
    /// engines; what is written is right at the end. All further ones use the fastest of them.
    ///
    /// # Safety
    /// As of [`launch`](Self::launch); the operands have the sizes that the signature tells, their addresses are multiples of 16.
    ///
    /// # Errors
    /// [`CudaError::NoEngine`] where cuDNN has none, [`CudaError::OutOfMemory`], cuDNN's.
    pub unsafe fn convolve(&self, signature: &Signature, operands: Operands) -> Result<(), CudaError> {
        // cuDNN works in the context that is current, which is another one's where a thread uses two devices.
        driver("turn to the device", self.device.stream().context().bind_to_thread())?;
        let mut convolutions = self.convolutions.borrow_mut();
        let convolution = match convolutions.entry(*signature) {
            Entry::Occupied(chosen) => chosen.into_mut(),
            Entry::Vacant(none) => {
                let mut workspace = |bytes: usize| self.workspace(bytes);
                let request = (signature, Effort::Full);
                let (chosen, _) = Convolution::fastest(&self.device, request, operands, &mut workspace)?;
                // What was tried may have needed far more than what was chosen.
                self.workspace.replace(None);
                none.insert(chosen)
            }
        };
        let workspace = self.workspace(convolution.workspace())?;
        convolution.run(&self.device, operands, workspace)
    }

    /// The address of at least so many bytes, for the next that is begun.
    fn workspace(&self, bytes: usize) -> Result<Pointer, CudaError> {
        let mut workspace = self.workspace.borrow_mut();
        match &mut *workspace {
            Some(buffer) if buffer.len() >= bytes => Ok(buffer.pointer(0)),
            smaller => {
                // First given back: both need not fit.
                *smaller = None;
                Ok(smaller.insert(self.device.zeros(bytes)?).pointer(0))
            }
        }
    }
}

/// Machine code for an architecture such as `sm_90`. It takes NVIDIA's run-time compiler, but no device.
///
/// # Errors
/// [`CudaError::NoLibrary`] without the compiler, [`CudaError::Compile`] with its log.
pub fn compile(text: &str, architecture: &str) -> Result<Vec<u8>, CudaError> {
    check_compiler()?;
    device::compile(text, architecture)
}
