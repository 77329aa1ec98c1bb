//! The GPU that tests need.

use wick_cuda::{CudaError, Device};

/// The GPU, if there is one and all that belongs to it.
pub fn device() -> Option<Device> {
    match Device::open(0) {
        Ok(device) => Some(device),
        Err(error @ (CudaError::NoLibrary { .. } | CudaError::NoDevice { .. })) => {
            println!("not run: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}
