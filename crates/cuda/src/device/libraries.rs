//! Whether NVIDIA's libraries are there, and new enough. cudarc panics where one is to be loaded that is not there.

use std::ffi::c_int;

use crate::CudaError;

/// What an error calls the library whose absence means that there is no GPU.
pub const DRIVER: &str = "the NVIDIA driver";

/// A library that is loaded, by names that are tried in order.
struct Library {
    name: &'static str,
    looked_for: &'static str,
    remedy: &'static str,
    /// The least version, as the library counts.
    least: usize,
    is_there: fn() -> bool,
    version: fn() -> usize,
}

/// Which of them compiles kernels.
const COMPILER: usize = 1;

const LIBRARIES: [Library; 3] = [
    Library {
        name: DRIVER,
        looked_for: "libcuda.so, libcuda.so.1",
        remedy: "install it, or use `--device cpu`",
        least: 12000,
        is_there: presence::driver,
        version: driver_version,
    },
    Library {
        name: "NVIDIA's run-time compiler",
        looked_for: "libnvrtc.so, libnvrtc.so.13, libnvrtc.so.12",
        remedy: "install the CUDA toolkit or `pip install nvidia-cuda-nvrtc`, and name its folder in LD_LIBRARY_PATH",
        least: 12000,
        is_there: presence::nvrtc,
        version: nvrtc_version,
    },
    Library {
        name: "cuDNN",
        looked_for: "libcudnn.so, libcudnn.so.9",
        remedy: "install cuDNN 9 or `pip install nvidia-cudnn-cu13`, and name its folder in LD_LIBRARY_PATH",
        least: 90000,
        is_there: presence::cudnn,
        version: cudarc::cudnn::result::get_version,
    },
];

pub(super) fn check() -> Result<(), CudaError> {
    LIBRARIES.iter().try_for_each(Library::check)
}

/// Whether there is what compiles kernels.
pub(crate) fn check_compiler() -> Result<(), CudaError> {
    LIBRARIES[COMPILER].check()
}

impl Library {
    fn check(&self) -> Result<(), CudaError> {
        let &Self { name: library, looked_for, remedy, least, is_there, version } = self;
        if !is_there() {
            return Err(CudaError::NoLibrary { library, looked_for, remedy });
        }
        let found = version();
        if found < least {
            return Err(CudaError::OldLibrary { library, looked_for, found, expected: least });
        }
        Ok(())
    }
}

#[cfg(not(feature = "linked"))]
mod presence {
    pub fn driver() -> bool {
        // SAFETY: loading a library runs its initialisers, which those of CUDA are made for.
        unsafe { cudarc::driver::sys::is_culib_present() }
    }

    pub fn nvrtc() -> bool {
        // SAFETY: as above.
        unsafe { cudarc::nvrtc::sys::is_culib_present() }
    }

    pub fn cudnn() -> bool {
        // SAFETY: as above.
        unsafe { cudarc::cudnn::sys::is_culib_present() }
    }
}

/// What is linked is there: the program would not have begun without it.
#[cfg(feature = "linked")]
mod presence {
    pub fn driver() -> bool {
        true
    }

    pub fn nvrtc() -> bool {
        true
    }

    pub fn cudnn() -> bool {
        true
    }
}

/// The CUDA version that the driver knows: 13000 is 13.0.
fn driver_version() -> usize {
    let mut version: c_int = 0;
    // SAFETY: writes one number; the library is there.
    let _ = unsafe { cudarc::driver::sys::cuDriverGetVersion(&mut version) };
    usize::try_from(version).unwrap_or(0)
}

fn nvrtc_version() -> usize {
    let (mut major, mut minor): (c_int, c_int) = (0, 0);
    // SAFETY: writes two numbers; the library is there.
    let _ = unsafe { cudarc::nvrtc::sys::nvrtcVersion(&mut major, &mut minor) };
    usize::try_from(1000 * major + 10 * minor).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(is_there: fn() -> bool, version: fn() -> usize) -> Option<String> {
        let least = 90000;
        let library = Library {
            name: "cuDNN",
            looked_for: "libcudnn.so",
            remedy: "install it",
            least,
            is_there,
            version,
        };
        library.check().err().map(|error| error.to_string())
    }

    #[test]
    fn what_is_missing_or_too_old_is_named() {
        // The version of what is not there may not be asked for.
        let missing = said(|| false, || unreachable!()).unwrap();
        assert_eq!(missing, "cuDNN was not found (libcudnn.so); install it");
        let old = said(|| true, || 8905).unwrap();
        assert_eq!(old, "cuDNN of version 8905 was found (libcudnn.so); at least 90000 is needed");
        assert_eq!(said(|| true, || 90000), None);
    }
}
