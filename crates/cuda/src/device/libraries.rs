//! Whether what is loaded at run time is there. cudarc panics where it is not.

use crate::CudaError;

/// The least cuDNN: the first of version 9.
const CUDNN: usize = 90000;

pub(super) fn check() -> Result<(), CudaError> {
    // SAFETY: loading a library runs its initialisers, which those of CUDA are made for.
    let (driver, nvrtc, cudnn) = unsafe {
        (
            cudarc::driver::sys::is_culib_present(),
            cudarc::nvrtc::sys::is_culib_present(),
            cudarc::cudnn::sys::is_culib_present(),
        )
    };
    let library = |library, looked_for, remedy| Err(CudaError::NoLibrary { library, looked_for, remedy });
    if !driver {
        return library("the NVIDIA driver", "libcuda.so.1", "install it, or use `--device cpu`");
    }
    if !nvrtc {
        return library(
            "NVIDIA's run-time compiler",
            "libnvrtc.so.13, libnvrtc.so.12",
            "install the CUDA toolkit or `pip install nvidia-cuda-nvrtc`, and name its folder in LD_LIBRARY_PATH",
        );
    }
    if !cudnn {
        return library(
            "cuDNN",
            "libcudnn.so.9",
            "install cuDNN 9 or `pip install nvidia-cudnn-cu13`, and name its folder in LD_LIBRARY_PATH",
        );
    }
    let found = cudarc::cudnn::result::get_version();
    if found < CUDNN {
        return Err(CudaError::OldCudnn { found, expected: CUDNN });
    }
    Ok(())
}
