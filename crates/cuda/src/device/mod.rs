//! A GPU: its libraries, its stream, its memory.

mod libraries;
mod memory;
mod program;

use std::rc::Rc;
use std::sync::Arc;

use cudarc::driver::sys::CUresult;
use cudarc::driver::{CudaContext, CudaStream};

use crate::CudaError;
use crate::cudnn::Cudnn;
use crate::error::driver;

pub use libraries::DRIVER;
pub(crate) use libraries::check_compiler;
pub use memory::{Buffer, Pod, Pointer};
pub(crate) use program::compile;
pub use program::{Argument, Kernel, Launch, Program};

/// A GPU with everything that is needed of it. All its work happens in one order, on one stream, begun by one thread.
#[derive(Debug, Clone)]
pub struct Device(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    // Dropped before its stream.
    cudnn: Cudnn,
    stream: Arc<CudaStream>,
    context: Arc<CudaContext>,
    name: String,
    capability: (i32, i32),
}

impl Device {
    /// The device of that number, from 0.
    ///
    /// # Errors
    /// A library that is missing or too old, no such device, or one that is too old.
    pub fn open(ordinal: usize) -> Result<Self, CudaError> {
        libraries::check()?;
        let found = match CudaContext::device_count() {
            Err(error) if error.0 == CUresult::CUDA_ERROR_NO_DEVICE => 0,
            found => driver("count devices", found)?,
        };
        let found = usize::try_from(found).unwrap_or(0);
        if ordinal >= found {
            return Err(CudaError::NoDevice { ordinal, found });
        }
        let context = driver("open the device", CudaContext::new(ordinal))?;
        // SAFETY: events order what several streams do with one piece of memory. This context's memory is used on the one stream that
        // is made here.
        unsafe { context.disable_event_tracking() };
        Self::of(driver("make a stream", context.new_stream())?)
    }

    /// The device of a stream that is there already, on which all is done then.
    ///
    /// # Errors
    /// A library that is missing or too old, or a device that is too old.
    pub(crate) fn on(stream: Arc<CudaStream>) -> Result<Self, CudaError> {
        libraries::check()?;
        driver("turn to the device", stream.context().bind_to_thread())?;
        Self::of(stream)
    }

    fn of(stream: Arc<CudaStream>) -> Result<Self, CudaError> {
        let context = Arc::clone(stream.context());
        let name = driver("ask for the device's name", context.name())?;
        let capability = driver("ask for the device's capability", context.compute_capability())?;
        if capability.0 < 8 {
            let (major, minor) = capability;
            return Err(CudaError::OldDevice { name, major, minor });
        }
        let cudnn = Cudnn::new(&stream)?;
        Ok(Self(Rc::new(Inner { context, stream, cudnn, name, capability })))
    }

    /// What its maker calls it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The compute capability: `(9, 0)` is Hopper.
    pub fn capability(&self) -> (i32, i32) {
        self.0.capability
    }

    /// The version of cuDNN: 91002 is 9.10.2.
    pub fn cudnn_version(&self) -> usize {
        self.cudnn().version()
    }

    /// Bytes that are free, and bytes there are.
    ///
    /// # Errors
    /// The driver's.
    pub fn memory(&self) -> Result<(usize, usize), CudaError> {
        driver("ask for free memory", self.0.context.mem_get_info())
    }

    /// Waits for everything that was begun.
    ///
    /// # Errors
    /// What went wrong since the last time.
    pub fn wait(&self) -> Result<(), CudaError> {
        driver("finish its work", self.0.stream.synchronize())
    }

    pub(crate) fn stream(&self) -> &Arc<CudaStream> {
        &self.0.stream
    }

    pub(crate) fn cudnn(&self) -> &Cudnn {
        &self.0.cudnn
    }
}
