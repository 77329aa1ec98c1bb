//! cuDNN's graph interface, as far as convolutions need it.

mod choice;
mod convolution;
mod descriptor;

use cudarc::cudnn::{result, sys};
use cudarc::driver::CudaStream;

use crate::CudaError;

pub(crate) use choice::{Choice, Effort};
pub(crate) use convolution::Convolution;
pub use convolution::{Direction, Operands, Signature};
use descriptor::{Attribute, Descriptor};

/// cuDNN on one stream, for one thread: it is neither `Send` nor `Sync`, and neither is a device.
#[derive(Debug)]
pub(crate) struct Cudnn(sys::cudnnHandle_t);

impl Cudnn {
    pub fn new(stream: &CudaStream) -> Result<Self, CudaError> {
        let error = |e: result::CudnnError| CudaError::Cudnn { doing: "begin", message: format!("{e:?}") };
        let handle = Self(result::create_handle().map_err(error)?);
        // SAFETY: both were made above and in the caller; the stream lives as long as the device that holds both.
        unsafe { result::set_stream(handle.0, stream.cu_stream().cast()) }.map_err(error)?;
        Ok(handle)
    }

    pub fn version(&self) -> usize {
        result::get_version()
    }
}

impl Drop for Cudnn {
    fn drop(&mut self) {
        // SAFETY: made by `new`, destroyed once. There is nobody to tell of an error.
        let _ = unsafe { result::destroy_handle(self.0) };
    }
}

/// cuDNN's answer to what was to be done.
fn status(doing: &'static str, status: sys::cudnnStatus_t) -> Result<(), CudaError> {
    if status == sys::cudnnStatus_t::CUDNN_STATUS_SUCCESS {
        return Ok(());
    }
    let mut text = [0u8; 512];
    // SAFETY: writes at most as many bytes as there is room for, a zero at the end.
    unsafe { sys::cudnnGetLastErrorString(text.as_mut_ptr().cast(), text.len()) };
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    Err(CudaError::Cudnn { doing, message: format!("{status:?} {}", String::from_utf8_lossy(text)) })
}
