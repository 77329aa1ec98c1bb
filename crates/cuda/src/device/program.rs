//! Kernels: compiled for the device at hand, by NVIDIA's run-time compiler.

use std::ffi::CString;
use std::sync::Arc;

use cudarc::driver::{CudaFunction, CudaModule, LaunchConfig, PushKernelArg};
use cudarc::nvrtc::{Ptx, result, sys};

use super::{Device, Pointer};
use crate::CudaError;
use crate::error::driver;

/// Compiled kernels.
#[derive(Debug)]
pub struct Program(Arc<CudaModule>);

/// One of them.
#[derive(Debug, Clone)]
pub struct Kernel(CudaFunction);

/// A kernel's arguments and by how many threads it is run.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// Blocks.
    pub grid: [usize; 3],
    /// Threads of a block.
    pub block: [usize; 2],
    /// What the kernel declares, in its order.
    pub arguments: Vec<Argument>,
}

/// What is passed to a kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Argument {
    /// A pointer, to memory of the device.
    Pointer(Pointer),
    /// An `int`.
    Int(i32),
    /// A `float`.
    Float(f32),
}

impl From<Pointer> for Argument {
    fn from(pointer: Pointer) -> Self {
        Self::Pointer(pointer)
    }
}

impl From<usize> for Argument {
    /// An `int`, which has to hold it: kernels count in 32 bits.
    fn from(value: usize) -> Self {
        Self::Int(value as i32)
    }
}

impl From<f32> for Argument {
    fn from(value: f32) -> Self {
        Self::Float(value)
    }
}

impl Launch {
    /// One thread for each of `count`.
    pub fn over(count: usize) -> Self {
        Self { grid: [count.div_ceil(256).max(1), 1, 1], block: [256, 1], arguments: Vec::new() }
    }

    /// So many blocks of so many threads.
    pub fn new(grid: [usize; 3], block: [usize; 2]) -> Self {
        Self { grid, block, arguments: Vec::new() }
    }

    /// One argument more.
    #[must_use]
    pub fn with(mut self, argument: impl Into<Argument>) -> Self {
        self.arguments.push(argument.into());
        self
    }
}

impl Device {
    /// Compiles CUDA C++ text.
    pub(crate) fn compile(&self, text: &str) -> Result<Program, CudaError> {
        let (major, minor) = self.capability();
        let binary = compile(text, &format!("sm_{major}{minor}"))?;
        let module = self.stream().context().load_module(Ptx::from_binary(binary));
        Ok(Program(driver("load kernels", module)?))
    }

    /// Begins a kernel.
    pub(crate) fn launch(&self, kernel: &Kernel, launch: &Launch) -> Result<(), CudaError> {
        let mut builder = self.stream().launch_builder(&kernel.0);
        for argument in &launch.arguments {
            match argument {
                Argument::Pointer(value) => builder.arg(value),
                Argument::Int(value) => builder.arg(value),
                Argument::Float(value) => builder.arg(value),
            };
        }
        let [x, y, z] = launch.grid.map(|n| n as u32);
        let [width, height] = launch.block.map(|n| n as u32);
        let config = LaunchConfig { grid_dim: (x, y, z), block_dim: (width, height, 1), shared_mem_bytes: 0 };
        // SAFETY: who makes a `Launch` passes what the kernel declares, and addresses of as much memory as it uses there: this crate of its
        // own buffers, who calls `raw::Stream::launch` by its contract. What is freed later is freed behind this, in the stream's order.
        driver("begin a kernel", unsafe { builder.launch(config) }).map(|_| ())
    }
}

impl Program {
    /// The kernel of that name.
    ///
    /// # Errors
    /// The driver's, where there is none.
    pub fn kernel(&self, name: &str) -> Result<Kernel, CudaError> {
        driver("find a kernel", self.0.load_function(name)).map(Kernel)
    }
}

/// Machine code for an architecture such as `sm_90`. Needs the compiler but no device.
pub(crate) fn compile(text: &str, architecture: &str) -> Result<Vec<u8>, CudaError> {
    let error = |log: String| CudaError::Compile { architecture: architecture.to_owned(), log };
    let source = CString::new(text).map_err(|e| error(e.to_string()))?;
    let program = result::create_program(&source, None).map_err(|e| error(e.to_string()))?;
    let options = [
        format!("--gpu-architecture={architecture}"),
        "--std=c++17".into(),
        "--extra-device-vectorization".into(),
    ];
    // SAFETY: `program` was made above and is destroyed below, once; the vector is as large as the compiler said.
    unsafe {
        let compiled = result::compile_program(program, &options).map_err(|e| {
            let log = result::get_program_log(program).unwrap_or_default();
            let log: String = log.iter().map(|&c| c as u8 as char).filter(|c| *c != '\0').collect();
            error(format!("{e}\n{log}"))
        });
        let binary = compiled.and_then(|()| {
            let mut size = 0;
            sys::nvrtcGetCUBINSize(program, &mut size).result().map_err(|e| error(e.to_string()))?;
            let mut binary = vec![0u8; size];
            sys::nvrtcGetCUBIN(program, binary.as_mut_ptr().cast())
                .result()
                .map_err(|e| error(e.to_string()))?;
            Ok(binary)
        });
        let _ = result::destroy_program(program);
        binary
    }
}
