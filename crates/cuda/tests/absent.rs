//! What is said where there is no GPU, or not all that belongs to it.

use wick_cuda::{CudaError, Device};

/// Whatever this machine has or lacks, a device is opened or an error says what was looked for; nothing panics.
#[test]
fn what_is_missing_is_named() {
    match Device::open(0) {
        Ok(device) => assert!(!device.name().is_empty()),
        Err(error @ CudaError::NoLibrary { .. }) => {
            let text = error.to_string();
            assert!(text.contains("lib") && text.contains("install"), "{text}");
        }
        Err(error @ CudaError::NoDevice { .. }) => {
            assert!(error.to_string().contains("nvidia-smi"), "{error}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    let error = Device::open(4096).unwrap_err();
    let absent = matches!(error, CudaError::NoLibrary { .. } | CudaError::NoDevice { ordinal: 4096, .. });
    assert!(absent || matches!(error, CudaError::OldLibrary { .. }), "{error}");
}
