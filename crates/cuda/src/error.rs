use wick_graph::GraphError;

/// What can go wrong on a GPU.
#[derive(Debug, thiserror::Error)]
pub enum CudaError {
    /// A library is not there.
    #[error("{library} was not found ({looked_for}); {remedy}")]
    NoLibrary {
        /// What it is.
        library: &'static str,
        /// Names that were looked for.
        looked_for: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// No such device.
    #[error("no CUDA device {ordinal}: the driver knows {found}; `nvidia-smi` lists them")]
    NoDevice {
        /// The device that was asked for, from 0.
        ordinal: usize,
        /// Devices there are.
        found: usize,
    },
    /// A device without bf16 arithmetic.
    #[error("{name} has compute capability {major}.{minor}; at least 8.0 (Ampere) is needed")]
    OldDevice {
        /// Its name.
        name: String,
        /// Its compute capability.
        major: i32,
        /// The digit behind the point.
        minor: i32,
    },
    /// A library that is too old.
    #[error("{library} of version {found} was found ({looked_for}); at least {expected} is needed")]
    OldLibrary {
        /// What it is.
        library: &'static str,
        /// Names that were looked for.
        looked_for: &'static str,
        /// Its version, as it counts them.
        found: usize,
        /// The least that serves.
        expected: usize,
    },
    /// The device has not as much memory.
    #[error(
        "out of memory on the GPU: {wanted} MiB wanted, {free} of {total} MiB free; a smaller batch needs less"
    )]
    OutOfMemory {
        /// MiB asked for.
        wanted: usize,
        /// MiB that are free.
        free: usize,
        /// MiB that there are.
        total: usize,
    },
    /// The driver refused something.
    #[error("CUDA could not {doing}: {message}")]
    Driver {
        /// What was to be done.
        doing: &'static str,
        /// What the driver said.
        message: String,
    },
    /// A kernel did not compile.
    #[error("a kernel did not compile for {architecture}: {log}")]
    Compile {
        /// For which device.
        architecture: String,
        /// The compiler's log.
        log: String,
    },
    /// cuDNN refused something.
    #[error("cuDNN could not {doing}: {message}")]
    Cudnn {
        /// What was to be done.
        doing: &'static str,
        /// What cuDNN said.
        message: String,
    },
    /// None of cuDNN's engines computes a convolution.
    #[error("cuDNN {version} has no engine for {what}; tried {tried}, the last one said: {message}")]
    NoEngine {
        /// cuDNN's version.
        version: usize,
        /// The convolution.
        what: String,
        /// Engines tried.
        tried: usize,
        /// Why the last one was none.
        message: String,
    },
    /// The graph, or a slice that was given for it.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// The driver's answer to what was to be done.
pub(crate) fn driver<T>(
    doing: &'static str,
    result: Result<T, cudarc::driver::DriverError>,
) -> Result<T, CudaError> {
    result.map_err(|e| CudaError::Driver { doing, message: e.to_string() })
}
